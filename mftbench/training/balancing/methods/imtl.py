"""IMTL-G: a step that goes equally far along every task's gradient."""

from __future__ import annotations

from torch import Tensor

from mftbench.training.balancing.balancer import Gradients
from mftbench.training.balancing.gradient_balancer import GradientBalancer


class ImpartialGradients(GradientBalancer):
    """Impartial multi-task learning by gradients, on representation gradients.

    The weights that sum to 1 and give ``g = sum_k w_k g_k`` the same projection on every
    ``g_k / ||g_k||``; they may be negative. Source: Liu et al., ICLR 2021 (IMTL-G), as generalised
    to dependent gradients by torchjd. Cost: a backward pass through the head, and in the exact way
    a forward pass where the batch is accumulated.
    """

    gradients = Gradients.REPRESENTATION

    def combine(self, gramian: Tensor) -> Tensor:
        """Solve by torchjd; where there is no such step, weigh all the same."""
        from torchjd.aggregation import IMTLGWeighting

        weights = IMTLGWeighting()(gramian)
        return weights if weights.any() else weights + 1 / len(weights)


BALANCER = ImpartialGradients
