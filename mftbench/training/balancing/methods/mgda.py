"""MGDA-UB: the shortest step that the weighted gradients can make."""

from __future__ import annotations

from torch import Tensor

from mftbench.training.balancing.balancer import Gradients
from mftbench.training.balancing.gradient_balancer import GradientBalancer
from mftbench.training.balancing.least_squares import shortest


class MinimumNorm(GradientBalancer):
    """Multiple-gradient descent by its upper bound, on representation gradients.

    ``w = argmin ||sum_k w_k g_k||`` over weights that are not negative and sum to 1. Solved exactly
    where the paper iterates. Source: Sener and Koltun, arXiv 1810.04650. Cost: a backward pass
    through the head, and in the exact way a forward pass where the batch is accumulated.
    """

    gradients = Gradients.REPRESENTATION

    def combine(self, gramian: Tensor) -> Tensor:
        """Find the point of the gradients' convex hull that is nearest to zero."""
        return shortest(gramian)


BALANCER = MinimumNorm
