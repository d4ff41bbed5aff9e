"""Percentile bootstrap intervals over problems, with seeds resampled above them.

Every seed answers the same problems, so one draw resamples seeds and problems as two crossed
factors. The generator's seed and the number of resamples are fixed and printed on every board: an
interval is as reproducible as the value in it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
RESAMPLES = 10_000
SEED = 0

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
    if np.ptp(items) == 0:
        return _constant(float(items[0, 0]), Interval(0.0, 1.0), items.shape[1])
    return _central(_resampled_means(items, np.random.default_rng(SEED)))


def difference_interval(a: ArrayLike, b: ArrayLike) -> Interval:
    """Bound ``mean(a) - mean(b)`` where both answered the same problems, in the same order.

    A draw takes the same problems for both (that is the pairing) and the seeds of each on their
    own: seed 1 of one mode shares nothing with seed 1 of another but the number.
    """
    left, right = as_items(a), as_items(b)
    if left.shape[1] != right.shape[1]:
        raise ValueError(f"{left.shape[1]} problems against {right.shape[1]}: nothing to pair")
    gaps = left[:, None, :] - right[None, :, :]
    if np.ptp(gaps) == 0:
        return _constant(float(gaps[0, 0, 0]), Interval(-1.0, 1.0), left.shape[1])
    rng = np.random.default_rng(SEED)
    return _central(_resampled_means(left, rng) - _resampled_means(right, rng))


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


def _resampled_means(items: Items, rng: np.random.Generator) -> Items:
    """Resample problems and, by ``rng``, seeds: one mean per resample."""
    seeds, problems = items.shape
    # In parts, because a part is widened to float64: 8 times its size.
    parts = np.array_split(_problem_counts(problems), 10)
    means = np.concatenate([part @ items.T for part in parts]) / problems  # (RESAMPLES, seeds)
    weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES) / seeds
    return np.asarray((means * weights).sum(axis=1))


def _central(means: Items) -> Interval:
    """Take the central ``LEVEL`` of resampled means."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _constant(value: float, bounds: Interval, problems: int) -> Interval:
    """Bound the mean where every value seen is the same, so that a bootstrap would have no width.

    The exact (Clopper-Pearson) bound on the share q of problems that would have answered otherwise
    moves the mean by at most q times the distance to the end of the scale. 0 of 164: 0 to 2.2 %.
    """
    share = 1 - ((1 - LEVEL) / 2) ** (1 / problems)
    return Interval(
        value - share * (value - bounds.low),
        value + share * (bounds.high - value),
    )
