"""Aligned-MTL: gradients made orthogonal and equally long before they are added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

from mftbench.training.balancing.balancer import BalancedTask
from mftbench.training.balancing.gradient_balancer import GradientBalancer


class AlignedGradients(GradientBalancer):
    """The mean of the gradients' principal components, all scaled to one length.

    ``w = sqrt(s) V diag(1 / sqrt(lambda)) V^T (1/K)`` with ``G = V diag(lambda) V^T`` over positive
    lambda, s their smallest, median or mean by ``scale``. Source: Senushkin et al., CVPR 2023;
    solved by torchjd. Cost: a backward pass per task.
    """

    def __init__(
        self, tasks: Sequence[BalancedTask], scale: Literal["min", "median", "rmse"] = "min"
    ) -> None:
        super().__init__(tasks)
        self.scale = scale

    def combine(self, gramian: Tensor) -> Tensor:
        """Align by torchjd."""
        from torchjd.aggregation import AlignedMTLWeighting

        weights: Tensor = AlignedMTLWeighting(scale_mode=self.scale)(gramian)
        return weights


BALANCER = AlignedGradients
