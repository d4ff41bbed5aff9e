"""Paired comparison of two systems on the same problems, and what may be said about it.

Interval and test look at different noise. The interval resamples problems and, where there are
several, seeds; the test asks about problems only, with each system's seeds averaged. A difference
is called real only if both say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mftbench.scoring.intervals import (
    RESAMPLES,
    SEED,
    Items,
    as_items,
    difference_interval,
    seed_spread,
)

ALPHA = 0.05
EXACT_SIGNS = 12
NOISE = "inside the noise"


@dataclass(frozen=True)
class Comparison:
    """``mean(a) - mean(b)`` over the same problems, on the scale -1..1.

    ``wins`` and ``losses`` count problems on which a is better or worse. ``disagreement`` is the
    root mean square of per-problem differences, ``seed_spread`` the half width that few seeds add
    to the interval, 0 for one seed. ``p`` is two-sided, of the null hypothesis that swapping a and
    b on any problem changes nothing; ``adjusted`` is p after Holm's correction over the family it
    was reported in.
    """

    difference: float
    low: float
    high: float
    problems: int
    wins: int
    losses: int
    disagreement: float
    seed_spread: float
    test: str
    p: float
    adjusted: float

    @property
    def verdict(self) -> str:
        """Say in words what the comparison shows of a."""
        if self.adjusted >= ALPHA or self.low <= 0.0 <= self.high:
            return NOISE
        return "better" if self.difference > 0 else "worse"


def compare(a: ArrayLike, b: ArrayLike) -> Comparison:
    """Compare per-problem values, of shape (problems,) or (seeds, problems), in the same order.

    One binary outcome per problem and system is tested by McNemar's exact test, anything else by
    sign-flip permutation of the per-problem differences.
    """
    left, right = as_items(a), as_items(b)
    low, high = difference_interval(left, right)
    gaps = left.mean(axis=0) - right.mean(axis=0)
    wins, losses = int((gaps > 0).sum()), int((gaps < 0).sum())
    if _is_binary(left) and _is_binary(right):
        test, p = "McNemar exact", mcnemar(wins, losses)
    else:
        test, p = "sign-flip permutation", sign_flip(gaps)
    return Comparison(
        difference=float(gaps.mean()),
        low=low,
        high=high,
        problems=len(gaps),
        wins=wins,
        losses=losses,
        disagreement=float(np.sqrt((gaps**2).mean())),
        seed_spread=seed_spread(left, right),
        test=test,
        p=p,
        adjusted=p,
    )


def mcnemar(wins: int, losses: int) -> float:
    """Give McNemar's exact two-sided p: a fair coin decides each discordant pair."""
    from scipy.stats import binomtest

    return float(binomtest(wins, wins + losses, 0.5).pvalue) if wins + losses else 1.0


def sign_flip(gaps: ArrayLike) -> float:
    """Give the two-sided permutation p of a zero mean, where each gap's sign is exchangeable.

    Exact for up to ``EXACT_SIGNS`` gaps, else over random signs, the observed ones counted among
    them. The test of scipy.stats.permutation_test, at a tenth of its time: a board needs dozens.
    """
    moved = np.asarray(gaps, dtype=np.float64)
    moved = moved[moved != 0]  # a zero has no sign: it only adds equal patterns
    if moved.size <= EXACT_SIGNS:
        return float(_as_far(np.array(list(product((-1, 1), repeat=moved.size))), moved).mean())
    rng = np.random.default_rng(SEED)
    signs = 2 * rng.integers(2, size=(RESAMPLES, moved.size), dtype=np.int8) - 1
    return float((_as_far(signs, moved).sum() + 1) / (RESAMPLES + 1))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p values of one family by Holm's step-down method (Holm 1979), in the given order."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, floor = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        floor = max(floor, min(1.0, (len(order) - rank) * p_values[index]))
        adjusted[index] = floor
    return tuple(adjusted)


def correct(family: Iterable[Comparison]) -> tuple[Comparison, ...]:
    """Adjust the comparisons of one family together: all columns of one pair of systems."""
    members = tuple(family)
    adjusted = holm([member.p for member in members])
    return tuple(replace(m, adjusted=p) for m, p in zip(members, adjusted, strict=True))


def noise_statement(family: Sequence[Comparison]) -> str:
    """Say in one sentence how many comparisons of a family stand out of the noise."""
    said = [member.verdict for member in family]
    return (
        f"better on {said.count('better')}, worse on {said.count('worse')}, "
        f"{NOISE} on {said.count(NOISE)} of {len(said)}"
    )


def _as_far(signs: NDArray[np.integer], gaps: Items) -> NDArray[np.bool_]:
    """Say for each pattern of signs whether its sum is at least as far from 0 as the observed."""
    tolerance = 1e-9 * np.abs(gaps).sum()  # sums of thirds that are equal on paper
    return np.asarray(np.abs(signs @ gaps) >= abs(gaps.sum()) - tolerance)


def _is_binary(items: Items) -> bool:
    return len(items) == 1 and bool(np.isin(items, (0.0, 1.0)).all())
