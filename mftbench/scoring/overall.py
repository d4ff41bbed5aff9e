"""Several tasks taken together: the mean difference over tasks, and ranks with their intervals.

Tasks weigh the same, whatever their number of columns (sources) and of problems. Problems of
different tasks are drawn independently of each other, systems on the same problems together, and so
are the columns of one task that have equally many problems: they may be editions of one set. If
they are not, drawing them together adds nothing but chance to the interval.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

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

MEAN_DIGITS = 9
"""Means of equal items are equal to so many digits, whatever order they were added in."""

_SCALE = Interval(-1.0, 1.0)

Columns = Sequence[Items]
"""One array of per-problem values per column, each of shape (seeds, problems)."""


_Order = tuple[int, int]
"""Which resamples are drawn: the number of the task, and of the problem set within the task."""


@dataclass(frozen=True)
class _Set:
    """Equally many problems of one task: values of its columns, averaged problem by problem."""

    values: Items
    order: _Order
    share: float


_Task = Sequence[_Set]


def overall_difference(
    a: Columns, b: Columns, tasks: Sequence[Hashable] | None = None
) -> tuple[float, Interval]:
    """Give the mean over tasks of ``mean(a) - mean(b)``, and its interval.

    ``tasks`` names the task of each column; without it every column is a task of its own. Raises
    ValueError where a side has not the same seeds everywhere, or a column's problems differ.
    """
    names = range(len(a)) if tasks is None else tasks
    left, right = _by_task(a, names), _by_task(b, names)
    both = _by_task(
        [(x.mean(axis=0) - y.mean(axis=0))[None] for x, y in zip(a, b, strict=True)], names
    )
    centre = float(
        np.mean([sum(part.share * part.values.mean() for part in task) for task in both])
    )
    draws = np.mean([_drawn(task) for task in both], axis=0)
    spread = seed_spread(_joined(left), _joined(right))
    inner = _allowing_for_constants(central(draws), centre, both)
    return centre, widened(inner, centre, spread, _SCALE)


def mean_ranks(
    columns: Sequence[Items], tasks: Sequence[Hashable] | None = None
) -> tuple[list[float], list[Interval]]:
    """Rank systems on every column, 1 is best, and average: values (problems, systems) per column.

    Equal values share the mean of their ranks. The intervals are over problems only. ``tasks``
    names the task of each column; without it every column is a task of its own.
    """
    names = range(len(columns)) if tasks is None else tasks
    orders = _orders(names, [len(column) for column in columns])
    observed = np.mean([_ranks(column.mean(axis=0)[None, :])[0] for column in columns], axis=0)
    draws = np.mean(
        [_ranks(_resampled(each, order)) for each, order in zip(columns, orders, strict=True)],
        axis=0,
    )
    return observed.tolist(), [central(draws[:, system]) for system in range(draws.shape[1])]


def _by_task(columns: Columns, names: Sequence[Hashable]) -> list[_Task]:
    """Average the columns that are drawn together, and lay what is left out by task."""
    orders = _orders(names, [column.shape[1] for column in columns])
    found: dict[_Order, list[Items]] = {}
    for order, column in zip(orders, columns, strict=True):
        found.setdefault(order, []).append(column)
    widths = Counter(task for task, _ in orders)
    tasks: dict[int, list[_Set]] = {}
    for order, members in found.items():
        share = len(members) / widths[order[0]]
        tasks.setdefault(order[0], []).append(_Set(np.mean(members, axis=0), order, share))
    return list(tasks.values())


def _orders(names: Sequence[Hashable], problems: Sequence[int]) -> list[_Order]:
    """Give each column its order of resamples: one for all of a task with equally many problems."""
    sizes: dict[Hashable, list[int]] = {}
    for name, number in zip(names, problems, strict=True):
        known = sizes.setdefault(name, [])
        if number not in known:
            known.append(number)
    places = {name: place for place, name in enumerate(sizes)}
    return [
        (places[name], sizes[name].index(number))
        for name, number in zip(names, problems, strict=True)
    ]


def _drawn(task: _Task) -> Items:
    """Give a task's mean over its columns in every resample."""
    parts = [part.share * _resampled(part.values[0][:, None], part.order)[:, 0] for part in task]
    return np.asarray(np.sum(parts, axis=0))


def _allowing_for_constants(inner: Interval, centre: float, tasks: Sequence[_Task]) -> Interval:
    """Add what sets of problems may hide on which all gaps were the same.

    A bootstrap gives them no width. Their exact half widths add as squares, each side on its own.
    """
    hidden = [
        (gap, constant_interval(gap, _SCALE, part.values.shape[1]), part.share)
        for task in tasks
        for part in task
        for gap in [float(part.values[0, 0])]
        if np.ptp(part.values) == 0
    ]
    below = [share * (gap - bounds.low) / len(tasks) for gap, bounds, share in hidden]
    above = [share * (bounds.high - gap) / len(tasks) for gap, bounds, share in hidden]
    return Interval(
        centre - math.hypot(centre - inner.low, *below),
        centre + math.hypot(inner.high - centre, *above),
    )


def _resampled(values: Items, order: _Order) -> Items:
    """Resample problems in one of many independent orders."""
    shuffled = np.random.default_rng([SEED, *order]).permutation(RESAMPLES)
    return resampled_means(values)[shuffled]


def _ranks(values: Items) -> Items:
    """Rank along the last axis, 1 is the highest; equal values share the mean of their ranks."""
    rounded = np.round(values, MEAN_DIGITS)
    others, own = rounded[:, None, :], rounded[:, :, None]
    ranks = (others > own).sum(axis=2) + ((others == own).sum(axis=2) + 1) / 2
    return np.asarray(ranks, dtype=np.float64)


def _joined(tasks: Sequence[_Task]) -> Items:
    """Lay tasks side by side, scaled so that the mean of all values is the mean over tasks."""
    parts = [part for task in tasks for part in task]
    problems = sum(part.values.shape[1] for part in parts)
    scaled = [
        part.values * (problems / (len(tasks) * part.values.shape[1]) * part.share)
        for part in parts
    ]
    return np.concatenate(scaled, axis=1)
