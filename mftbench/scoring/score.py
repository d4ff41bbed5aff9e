"""The scores of one cell: every metric of a task, over the full problem set."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mftbench.contract import Metric, Verdict
from mftbench.errors import PluginError, UsageError
from mftbench.scoring.intervals import mean_interval
from mftbench.scoring.pass_at_k import pass_at_k

Samples = Sequence[Verdict]


@dataclass(frozen=True)
class Score:
    """One metric over one problem set. ``items`` follow the sorted problem ids; None is missing.

    ``value`` is the mean over the *full* set, so with missing items it is a lower bound, has no
    interval, and is not ranked. It is None where nothing can be said: fewer samples than k, or no
    verdict at all. ``samples`` is the smallest number of samples of any problem that has some.
    """

    metric: str
    value: float | None
    low: float | None
    high: float | None
    samples: int
    missing: int
    items: tuple[float | None, ...]
    headline: bool


def score(
    verdicts: Mapping[str, Samples],
    metrics: Sequence[Metric],
    k: Sequence[int],
    problem_ids: Sequence[str],
    *,
    samples: int = 1,
) -> tuple[Score, ...]:
    """Score verdicts, given per problem id in sample order, by each metric in the task's order.

    A ``pass`` metric gives one score per k ("pass@1"), a ``mean`` metric one under its own name.
    The first score is the task's headline. A problem with fewer verdicts than the ``samples`` it
    was asked for is missing: the infrastructure failed, not the model. Raises UsageError for
    verdicts of problems outside the set, PluginError for a value of a mean metric that is not in
    0..1.
    """
    ids = sorted(problem_ids)
    _check_ids(verdicts, ids)
    measures = [measure for metric in metrics for measure in _measures(metric, k)]
    given = [verdicts.get(item, ()) for item in ids]
    answered = [sample if len(sample) >= samples else () for sample in given]
    fewest = min((len(sample) for sample in answered if sample), default=0)
    return tuple(
        _score(measure, ids, answered, fewest, headline=position == 0)
        for position, measure in enumerate(measures)
    )


def count_outcomes(verdicts: Mapping[str, Samples]) -> dict[str, int]:
    """Count samples by outcome; outcomes that did not happen are left out."""
    counts = Counter(str(verdict.outcome) for sample in verdicts.values() for verdict in sample)
    return dict(sorted(counts.items()))


def count_in_process(verdicts: Mapping[str, Samples]) -> int:
    """Count samples that were judged inside the candidate's own process."""
    return sum(verdict.in_process for sample in verdicts.values() for verdict in sample)


@dataclass(frozen=True)
class _Measure:
    """A metric with its k fixed: what one problem's samples are worth."""

    name: str
    needs: int
    of_problem: Callable[[Samples], float]


def _measures(metric: Metric, ks: Sequence[int]) -> list[_Measure]:
    if metric.kind == "mean":
        return [_Measure(metric.name, 1, lambda sample: _mean(metric.name, sample))]
    return [_pass_measure(metric.name, k) for k in sorted(set(ks))]


def _pass_measure(name: str, k: int) -> _Measure:
    def of_problem(sample: Samples) -> float:
        value = pass_at_k(len(sample), sum(verdict.passed for verdict in sample), k)
        assert value is not None, "samples were counted before"
        return value

    return _Measure(f"{name}@{k}", k, of_problem)


def _mean(name: str, sample: Samples) -> float:
    """Average one problem's samples; a verdict that does not carry the metric is worth 0."""
    return math.fsum(verdict.scores.get(name, 0.0) for verdict in sample) / len(sample)


def _score(
    measure: _Measure, ids: Sequence[str], answered: Sequence[Samples], samples: int, headline: bool
) -> Score:
    missing = sum(not sample for sample in answered)
    if samples < measure.needs:
        return Score(measure.name, None, None, None, samples, missing, (), headline)
    items = [measure.of_problem(sample) if sample else None for sample in answered]
    known = [item for item in items if item is not None]
    _check_range(measure.name, ids, items)
    low, high = (None, None) if missing else mean_interval(known)
    value = math.fsum(known) / len(items)
    return Score(measure.name, value, low, high, samples, missing, tuple(items), headline)


def _check_ids(verdicts: Mapping[str, Samples], ids: Sequence[str]) -> None:
    known = set(ids)
    if len(known) != len(ids):
        twice = next(item for item, count in Counter(ids).items() if count > 1)
        raise UsageError(f"problem {twice!r} is in the problem set twice; ids must be unique")
    if stray := sorted(set(verdicts) - known):
        raise UsageError(
            f"{len(stray)} verdicts are of problems outside the set, the first {stray[0]!r}; "
            "score them with the source that they were generated from"
        )


def _check_range(name: str, ids: Sequence[str], items: Iterable[float | None]) -> None:
    for item, value in zip(ids, items, strict=True):
        if value is not None and not 0.0 <= value <= 1.0:
            raise PluginError(f"metric {name!r}: {value} on {item} is not in 0..1; scale it")
