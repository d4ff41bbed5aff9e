"""Percentile bootstrap intervals over problems, widened by what training seeds disagree about.

Near 0 and 100 % a bootstrap has too few problems of one kind to draw from: there the exact interval
of a share is joined to it.

Samples are nested in problems: a problem's value is estimated from all its samples, so resampling
problems carries their noise along. Seeds stand above problems and are too few to resample (three
seeds have ten different resamples): their variance component enters by a t quantile instead. The
generator's seed and the number of resamples are fixed and printed on every board: an interval is as
reproducible as the value in it.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
RESAMPLES = 10_000
SEED = 0
FEW = 10
"""With fewer passes or failures a bootstrap of 0 and 1 is too narrow: it covers 87 % at worst."""

Items: TypeAlias = NDArray[np.float64]


class Interval(NamedTuple):
    """A two-sided interval at ``LEVEL``."""

    low: float
    high: float


def as_items(values: ArrayLike) -> Items:
    """Give per-problem values as an array of shape (seeds, problems).

    One flat sequence is one seed. Raises ValueError where there is no problem or a seed is ragged.
    """
    items = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if items.ndim != 2 or items.size == 0:
        raise ValueError(f"need per-problem values as (seeds, problems), got {items.shape}")
    return items


def mean_interval(values: ArrayLike) -> Interval:
    """Bound the mean of per-problem values in 0..1, of shape (problems,) or (seeds, problems)."""
    items = as_items(values)
    inner = _over_problems(items.mean(axis=0), Interval(0.0, 1.0))
    if is_near_an_end(items):
        exact = _exact(int(items.sum()), items.size)
        inner = Interval(min(inner.low, exact.low), max(inner.high, exact.high))
    return widened(
        inner,
        float(items.mean()),
        seed_spread(items),
        Interval(0.0, 1.0),
    )


def is_near_an_end(values: ArrayLike) -> bool:
    """Say whether one seed's 0s and 1s have fewer than ``FEW`` of either."""
    items = as_items(values)
    if len(items) > 1 or not np.isin(items, (0.0, 1.0)).all():
        return False
    return bool(min(items.sum(), items.size - items.sum()) < FEW)


def difference_interval(a: ArrayLike, b: ArrayLike) -> Interval:
    """Bound ``mean(a) - mean(b)`` where both answered the same problems, in the same order.

    Problems are paired. Seeds are not: seed 1 of one mode shares nothing with seed 1 of another but
    the number, so each side adds its own spread.
    """
    left, right = as_items(a), as_items(b)
    if left.shape[1] != right.shape[1]:
        raise ValueError(f"{left.shape[1]} problems against {right.shape[1]}: nothing to pair")
    gaps = left.mean(axis=0) - right.mean(axis=0)
    return widened(
        _over_problems(gaps, Interval(-1.0, 1.0)),
        float(gaps.mean()),
        seed_spread(left, right),
        Interval(-1.0, 1.0),
    )


def seed_variance(items: Items) -> float:
    """Estimate the variance that the choice of training seed gives one seed's mean.

    The seeds' component of a two-way random layout, (MS seeds - MS residual) / problems, so that
    seeds which differ by single problems' chance only count as equal. 0 for one seed.
    """
    seeds, problems = items.shape
    if seeds == 1:
        return 0.0
    means = items.mean(axis=1)
    rest = items - means[:, None] - items.mean(axis=0)[None, :] + items.mean()
    residual = float((rest**2).sum()) / ((seeds - 1) * max(problems - 1, 1))
    return max(0.0, float(means.var(ddof=1) - residual / problems))


def seed_spread(*sides: Items) -> float:
    """Give the half width that few seeds add to the mean, or to the difference, of some sides.

    A t quantile with Welch's degrees of freedom: sides have seeds of their own.
    """
    parts = [(seed_variance(items) / len(items), len(items) - 1) for items in sides]
    total = math.fsum(variance for variance, _ in parts)
    if total == 0.0:
        return 0.0
    from scipy.special import stdtrit

    freedom = total**2 / math.fsum(variance**2 / seeds for variance, seeds in parts if variance)
    return float(stdtrit(freedom, (1 + LEVEL) / 2)) * math.sqrt(total)


def widened(inner: Interval, centre: float, spread: float, scale: Interval) -> Interval:
    """Join the limits over problems with the seeds' half width, by recovery of variances.

    Zou and Donner (2008): independent half widths add as squares, each side on its own.
    """
    return Interval(
        max(scale.low, centre - math.hypot(centre - inner.low, spread)),
        min(scale.high, centre + math.hypot(inner.high - centre, spread)),
    )


def _over_problems(values: Items, scale: Interval) -> Interval:
    """Bound the mean of one value per problem."""
    if np.ptp(values) == 0:
        return constant_interval(float(values[0]), scale, len(values))
    return central(resampled_means(values))


@lru_cache(maxsize=2)
def _problem_counts(problems: int) -> NDArray[np.uint8]:
    """Count how often each problem is drawn in each resample: shape (RESAMPLES, problems).

    Shared by all intervals over sets of this size, which is what pairs them. A count cannot
    overflow: drawing one problem more than 255 times has no chance in practice.
    """
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(problems, size=(RESAMPLES, problems))
    cells = (drawn + problems * np.arange(RESAMPLES)[:, None]).ravel()
    counts = np.bincount(cells, minlength=RESAMPLES * problems).astype(np.uint8)
    return counts.reshape(RESAMPLES, problems)


def resampled_means(values: Items) -> Items:
    """Give the mean in every resample of problems: values (problems,) or (problems, systems).

    All sets of one size share their resamples, so that the means of two systems are paired.
    """
    # In parts, because a part is widened to float64: 8 times its size.
    parts = np.array_split(_problem_counts(len(values)), 10)
    return np.concatenate([part @ values for part in parts]) / len(values)


def _exact(passes: int, problems: int) -> Interval:
    """Give the Clopper-Pearson interval of a share."""
    from scipy.special import betaincinv

    tail, failures = (1 - LEVEL) / 2, problems - passes
    return Interval(
        float(betaincinv(passes, failures + 1, tail)) if passes else 0.0,
        float(betaincinv(passes + 1, failures, 1 - tail)) if failures else 1.0,
    )


def central(means: Items) -> Interval:
    """Take the central ``LEVEL`` of resampled means."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), float(high))


def constant_interval(value: float, bounds: Interval, problems: int) -> Interval:
    """Bound the mean where every value seen is the same, so that a bootstrap would have no width.

    The exact (Clopper-Pearson) bound on the share q of problems that would have answered otherwise
    moves the mean by at most q times the distance to the end of the scale. 0 of 164: 0 to 2.2 %.
    """
    share = 1 - ((1 - LEVEL) / 2) ** (1 / problems)
    return Interval(
        value - share * (value - bounds.low),
        value + share * (bounds.high - value),
    )
