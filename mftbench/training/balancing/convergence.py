"""The scores of CoBa (Gong et al., arXiv 2410.06741), of the slopes of validation losses."""

from __future__ import annotations

from torch import Tensor


def rcs(slope: Tensor) -> Tensor:
    """Give the relative convergence score: low for tasks that fall fast beside others, (tasks,)."""
    return (len(slope) * slope / _scale(slope.abs().sum())).softmax(0)


def acs(slopes: Tensor) -> Tensor:
    """Give the absolute convergence score of (updates, tasks) slopes: high while a task falls."""
    return (-len(slopes) * slopes[-1] / _scale(slopes.abs().sum(0))).softmax(0)


def divergence(largest: Tensor, tau: float) -> Tensor:
    """Give the divergence factor, not clamped, of the slopes of the largest ratio: (updates,)."""
    updates = len(largest)
    spread = (-tau * updates * largest / _scale(largest.abs().sum())).softmax(0)
    return updates * spread[-1]


def _scale(total: Tensor) -> Tensor:
    # Where nothing has moved yet all slopes are 0, and 0 over anything is what the scores want.
    return total.clamp(min=1e-300)
