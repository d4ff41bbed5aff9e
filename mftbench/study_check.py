"""What no study can mean, told by key before anything is made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from mftbench.errors import UsageError, unknown
from mftbench.training.settings import check_optim
from mftbench.training.sharding import check_parallel, divided

if TYPE_CHECKING:
    from mftbench.study import Study

_SEEDS = 2**32  # the largest that all libraries take is one less


def checked(study: Study, where: str) -> Study:
    """Give the study back; raise UsageError naming the first key that cannot be meant."""
    for name, value in _numbers(study):
        if not math.isfinite(value):
            raise UsageError(f"{where}: {name} is {value}; a finite number is wanted")
    _check_lists(study, where)
    _check_data(study, where)
    _check_limits(study, where)
    _check_sampling(study, where)
    if study.threads < 0:
        raise UsageError(f"{where}: threads is {study.threads}; it must be at least 0")
    check_parallel(study.parallel, where)
    check_optim(study.optim, where)
    divided(study.optim, study.parallel)
    return study


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Give all floats of a record, by path."""
    if is_dataclass(value):
        inner = [(field.name, getattr(value, field.name)) for field in fields(value)]
    elif isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list | tuple):
        inner = [(str(index), each) for index, each in enumerate(value)]
    else:
        if isinstance(value, float):
            yield name, value
        return
    for part, each in inner:
        yield from _numbers(each, f"{name}.{part}" if name else str(part))


def _check_lists(study: Study, where: str) -> None:
    needed = ("models", "tasks", "modes", "seeds", "k")
    for kind in (*needed, "balancers") if "mft" in study.modes else needed:
        if not getattr(study, kind):
            raise UsageError(f"{where}: {kind} is empty; name at least one")
    for kind in needed:
        _check_distinct(getattr(study, kind), kind, where)
    _check_distinct([balance.label for balance in study.balancers], "balancers", where)
    for seed in study.seeds:
        if not 0 <= seed < _SEEDS:
            raise UsageError(f"{where}: seed {seed} is not from 0 to {_SEEDS - 1}")
    if not study.train_tasks:
        raise UsageError(f"{where}: every task is unseen; leave one to train on")


def _check_data(study: Study, where: str) -> None:
    for place, names in (("unseen", study.unseen), ("data", study.data)):
        for task in names:
            if task not in study.tasks:
                raise unknown("task", task, study.tasks, f"{where}: {place}")
    for task, settings in study.data.items():
        place = f"{where}: data.{task}"
        if not settings.evaluate:
            raise UsageError(f"{place}.evaluate is empty; name at least one source")
        _check_distinct(settings.evaluate, f"data.{task}.evaluate", where)
        for source in settings.options:
            if source not in (settings.train, *settings.evaluate):
                used = {settings.train, *settings.evaluate}
                raise unknown("source", source, used, f"{place}.options")
        if settings.weight < 0:
            raise UsageError(f"{place}.weight is {settings.weight}; it must be at least 0")


def _check_limits(study: Study, where: str) -> None:
    for field in fields(study.limits):
        value = getattr(study.limits, field.name)
        if isinstance(value, int | float) and value <= 0:
            raise UsageError(f"{where}: limits.{field.name} is {value}; it must be above 0")


def _check_sampling(study: Study, where: str) -> None:
    sampling = study.sampling
    if (
        sampling.n < 1
        or sampling.batch < 0
        or sampling.temperature < 0
        or not 0 < sampling.top_p <= 1
    ):
        raise UsageError(
            f"{where}: sampling needs n of at least 1, batch and temperature of at least 0 and "
            "top_p above 0 and at most 1"
        )
    samples = sampling.n if sampling.temperature > 0 else 1
    if min(study.k) < 1:
        raise UsageError(f"{where}: k = {min(study.k)}; pass@k begins at 1")
    if max(study.k) > samples:
        raise UsageError(
            f"{where}: k = {max(study.k)} needs at least as many samples, sampling gives "
            f"{samples}; raise sampling.n (and sampling.temperature above 0)"
        )


def _check_distinct(values: Sequence[object], kind: str, where: str) -> None:
    if len(set(values)) < len(values):
        raise UsageError(f"{where}: {kind} names something twice: {list(values)}")
