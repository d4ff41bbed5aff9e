"""Nash-MTL: the step that tasks would agree on in bargaining."""

from __future__ import annotations

import torch
from torch import Tensor

from mftbench.training.balancing.gradient_balancer import GradientBalancer


class NashBargaining(GradientBalancer):
    """The Nash bargaining solution among the tasks' gradients.

    The positive w with ``G w = 1 / w`` (element by element), so a task's share of the step is the
    smaller the longer its gradient is; here scaled to sum to 1. It is the minimum of the convex
    ``w^T G w / 2 - sum_k log w_k``, found by Newton's method where the paper linearises and keeps
    state. Source: Navon et al., arXiv 2202.01017. Cost: a backward pass per task.
    """

    def combine(self, gramian: Tensor) -> Tensor:
        """Find the agreement, in units where every gradient has length 1."""
        lengths = gramian.diagonal().clamp(min=0).sqrt()
        # A gradient of length 0 bargains for nothing; a tiny one keeps its share finite.
        lengths = lengths.clamp(min=1e-6 * float(lengths.max()) or 1.0)
        weights = _agree(gramian / torch.outer(lengths, lengths)) / lengths
        return weights / weights.sum()


def _agree(cosines: Tensor) -> Tensor:
    """Minimise ``w^T C w / 2 - sum log w`` by Newton steps, damped by the decrement: (n,)."""
    # Opposed gradients leave the minimum at infinity; this much of a ridge brings it back.
    ridged = cosines + 1e-6 * torch.eye(len(cosines), dtype=cosines.dtype)
    weights = torch.ones(len(cosines), dtype=cosines.dtype)
    for _ in range(200):
        slope = ridged @ weights - 1 / weights
        step = torch.linalg.solve(ridged + torch.diag(weights**-2), slope)
        decrement = float((slope @ step).clamp(min=0).sqrt())
        # The barrier is self-concordant: steps so damped stay positive and always converge.
        weights = weights - step / (1 + decrement if decrement > 0.25 else 1)
        if decrement < 1e-12:
            break
    return weights


BALANCER = NashBargaining
