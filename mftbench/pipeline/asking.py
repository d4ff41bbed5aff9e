"""What one source of one task asks a model, outside of a study: problems, and requests for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mftbench.contract import Problem, Task
from mftbench.errors import UsageError, require
from mftbench.inference.engine import Request
from mftbench.pipeline.generate import requests
from mftbench.stages import GenerateSpec, Sampling, SourceRef


@dataclass(frozen=True)
class Asked:
    """A task as its source asks and scores it, its problems by id, and the requests for them."""

    task: Task
    problems: Mapping[str, Problem]
    requests: tuple[Request, ...]


@dataclass(frozen=True)
class Asking:
    """What to ask: ``count`` problems of a source, all if it is 0, in a prompt format."""

    task: str = "completion"
    source: str = "starter"
    count: int = 0
    format: str = "plain"
    seed: int = 1


def ask(asking: Asking, model: str, sampling: Sampling) -> Asked:
    """Lay out requests as a study would.

    Raises UsageError for an unknown task, source or format, or for data that cannot be had.
    """
    from mftbench.formats import FORMATS, render_prompt
    from mftbench.models import load_tokenizer
    from mftbench.plugins import asked_by, load_task, open_source

    require("format", asking.format, FORMATS)
    if asking.count < 0:
        raise UsageError(f"{asking.count} problems are too few; give 0 for all of them")
    plugin = load_task(asking.task)
    source = open_source(plugin, asking.source)
    task = asked_by(source, plugin)
    rows = list(source.problems())[: asking.count or None]
    tokenizer = load_tokenizer(model)
    wanted = requests(
        _spec(asking, model, sampling, task.version),
        rows,
        task.prompt,
        lambda prompt: render_prompt(asking.format, prompt, tokenizer),
    )
    return Asked(task, {row.id: row for row in rows}, tuple(wanted))


def _spec(asking: Asking, model: str, sampling: Sampling, version: int) -> GenerateSpec:
    return GenerateSpec(
        model=model,
        model_fingerprint="",
        train="",
        adapter=False,
        task=asking.task,
        task_version=version,
        source=SourceRef(asking.source),
        format=asking.format,
        engine="",
        sampling=sampling,
        dtype="",
        seed=asking.seed,
    )
