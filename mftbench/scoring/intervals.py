"""Percentile bootstrap intervals over problems, with seeds resampled above them.

Every seed answers the same problems, so one draw resamples seeds and problems as two crossed
factors. The generator's seed and the number of resamples are fixed and printed on every board: an
interval is as reproducible as the value in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
RESAMPLES = 10_000
SEED = 0

Items: TypeAlias = NDArray[np.float64]
Draw: TypeAlias = Callable[[int], Items]

_BATCH_CELLS = 2_000_000  # values per vectorised batch: 16 MB


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


def mean_interval(values: ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED) -> Interval:
    """Bound the mean of per-problem values in 0..1, of shape (problems,) or (seeds, problems)."""
    items = as_items(values)
    if np.ptp(items) == 0:
        return _constant(float(items[0, 0]), Interval(0.0, 1.0), items.shape[1])
    rng = np.random.default_rng(seed)
    return _percentiles(lambda size: _over_seeds(items, size, rng), items.shape[1], resamples, rng)


def difference_interval(
    a: ArrayLike, b: ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Interval:
    """Bound ``mean(a) - mean(b)`` where both answered the same problems, in the same order.

    A draw takes the same problems for both (that is the pairing) and the seeds of each on their
    own: seed 1 of one mode shares nothing with seed 1 of another but the number.
    """
    left, right = as_items(a), as_items(b)
    if left.shape[1] != right.shape[1]:
        raise ValueError(f"{left.shape[1]} problems against {right.shape[1]}: nothing to pair")
    gap = left[:, None, :] - right[None, :, :]
    if np.ptp(gap) == 0:
        return _constant(float(gap[0, 0, 0]), Interval(-1.0, 1.0), left.shape[1])
    rng = np.random.default_rng(seed)

    def draw(size: int) -> Items:
        return _over_seeds(left, size, rng) - _over_seeds(right, size, rng)

    return _percentiles(draw, left.shape[1], resamples, rng)


def _over_seeds(items: Items, size: int, rng: np.random.Generator) -> Items:
    """Resample seeds: per-problem means of shape (size, problems)."""
    seeds = len(items)
    if seeds == 1:
        return np.broadcast_to(items, (size, items.shape[1]))
    weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=size) / seeds
    return np.asarray(weights @ items)


def _percentiles(draw: Draw, problems: int, resamples: int, rng: np.random.Generator) -> Interval:
    """Resample problems on top of ``draw`` and take the central ``LEVEL`` of the means."""
    batch = max(1, _BATCH_CELLS // problems)
    means = []
    for start in range(0, resamples, batch):
        values = draw(min(batch, resamples - start))
        chosen = rng.integers(problems, size=values.shape)
        means.append(np.take_along_axis(values, chosen, axis=1).mean(axis=1))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
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
