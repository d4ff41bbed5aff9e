"""Several tasks taken together: the mean difference over tasks, and ranks with their intervals.

Tasks weigh the same, whatever their number of problems. Problems of different tasks are drawn
independently of each other, systems on the same problems together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mftbench.scoring.intervals import (
    RESAMPLES,
    SEED,
    Interval,
    Items,
    central,
    constant_interval,
    resampled_means,
    seed_spread,
    widened,
)

_SCALE = Interval(-1.0, 1.0)

Tasks = Sequence[Items]
"""One array of per-problem values per task, each of shape (seeds, problems)."""


def overall_difference(a: Tasks, b: Tasks) -> tuple[float, Interval]:
    """Give the mean over tasks of ``mean(a) - mean(b)``, and its interval.

    Raises ValueError where a side has not the same seeds on all tasks, or a task's problems differ.
    """
    gaps = [left.mean(axis=0) - right.mean(axis=0) for left, right in zip(a, b, strict=True)]
    centre = float(np.mean([gap.mean() for gap in gaps]))
    draws = np.mean([_independent(gap[:, None], task) for task, gap in enumerate(gaps)], axis=0)
    spread = seed_spread(_joined(a), _joined(b))
    inner = _allowing_for_constants(central(draws[:, 0]), centre, gaps)
    return centre, widened(inner, centre, spread, _SCALE)


def mean_ranks(tasks: Sequence[Items]) -> tuple[list[float], list[Interval]]:
    """Rank systems on every task, 1 is best, and average: values (problems, systems) per task.

    Equal values share the mean of their ranks. The intervals are over problems only.
    """
    observed = np.mean([_ranks(task.mean(axis=0)[None, :])[0] for task in tasks], axis=0)
    draws = np.mean([_ranks(_independent(task, at)) for at, task in enumerate(tasks)], axis=0)
    return observed.tolist(), [central(draws[:, system]) for system in range(draws.shape[1])]


def _allowing_for_constants(inner: Interval, centre: float, gaps: Sequence[Items]) -> Interval:
    """Add what tasks may hide on whose problems all gaps were the same.

    A bootstrap gives them no width. Their exact half widths add as squares, each side on its own.
    """
    hidden = [
        (float(gap[0]), constant_interval(float(gap[0]), _SCALE, len(gap)))
        for gap in gaps
        if np.ptp(gap) == 0
    ]
    below = [(gap - bounds.low) / len(gaps) for gap, bounds in hidden]
    above = [(bounds.high - gap) / len(gaps) for gap, bounds in hidden]
    return Interval(
        centre - math.hypot(centre - inner.low, *below),
        centre + math.hypot(inner.high - centre, *above),
    )


def _independent(values: Items, task: int) -> Items:
    """Resample the problems of one task, in an order of its own."""
    order = np.random.default_rng([SEED, task]).permutation(RESAMPLES)
    return resampled_means(values)[order]


def _ranks(values: Items) -> Items:
    """Rank along the last axis, 1 is the highest; equal values share the mean of their ranks."""
    rounded = np.round(values, 9)  # means of equal items are equal, whatever order they were added
    others, own = rounded[:, None, :], rounded[:, :, None]
    ranks = (others > own).sum(axis=2) + ((others == own).sum(axis=2) + 1) / 2
    return np.asarray(ranks, dtype=np.float64)


def _joined(tasks: Tasks) -> Items:
    """Lay tasks side by side, scaled so that the mean of all values is the mean over tasks."""
    problems = sum(task.shape[1] for task in tasks)
    scaled = [task * (problems / (len(tasks) * task.shape[1])) for task in tasks]
    return np.concatenate(scaled, axis=1)
