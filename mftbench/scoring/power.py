"""What a comparison could have seen: detectable differences and the noise floor between seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from mftbench.scoring.intervals import LEVEL
from mftbench.scoring.paired import ALPHA

POWER = 0.8
FEWEST_DISCORDANT = 6  # on 5 problems even 5 : 0 has p = 2 / 2**5 > ALPHA


def detectable_difference(problems: int, disagreement: float, seed_spread: float = 0.0) -> float:
    """Give the true difference that a comparison on so many problems finds in ``POWER`` of cases.

    ``disagreement`` is the root mean square of per-problem differences; for binary outcomes its
    square is the share of problems on which the two systems disagree. Connor's (1987) formula for
    McNemar's test, solved for the difference; capped at 1, where nothing can be detected.
    ``seed_spread`` is the half width that the seeds add to the interval: a verdict needs the
    interval too, so what the seeds hide joins what the problems hide, as squares.
    """
    if problems < 1 or disagreement < 0:
        raise ValueError(f"{problems} problems, disagreement {disagreement}: need at least 1 and 0")
    at_level, at_power = _quantile(1 - ALPHA / 2), _quantile(POWER)
    variance = disagreement**2 / problems
    # The variance under the alternative is less by the squared difference itself: solve for it.
    difference = at_level * math.sqrt(variance)
    for _ in range(50):
        rest = max(0.0, variance - difference**2 / problems)
        difference = at_level * math.sqrt(variance) + at_power * math.sqrt(rest)
    hidden_by_seeds = seed_spread * (at_level + at_power) / at_level
    return min(1.0, math.hypot(difference, hidden_by_seeds))


def noise_floor(systems: Iterable[Sequence[float]]) -> float | None:
    """Bound the difference of two trainings that differ in nothing but their seed.

    Takes each system's value per seed; 95 % of such differences are smaller, by the pooled standard
    deviation between seeds. None where no system has two seeds.
    """
    squares, freedom = 0.0, 0
    for values in systems:
        squares += len(values) * float(np.var(values)) if len(values) > 1 else 0.0
        freedom += len(values) - 1 if values else 0
    if freedom < 1:
        return None
    return _quantile((1 + LEVEL) / 2) * math.sqrt(2 * squares / freedom)


def _quantile(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))
