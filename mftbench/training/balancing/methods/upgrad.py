"""UPGrad: a step that no task's gradient is against."""

from __future__ import annotations

import torch
from torch import Tensor

from mftbench.training.balancing.gradient_balancer import GradientBalancer
from mftbench.training.balancing.least_squares import at_least


class UnconflictingProjections(GradientBalancer):
    """The mean of gradients, each projected onto the cone of steps that conflict with no task.

    Task i's part has the weights ``argmin v^T G v`` over ``v >= e_i / K`` (the dual problem).
    Source: Quinton and Rey, arXiv 2406.16232. Cost: a backward pass per task.
    """

    def combine(self, gramian: Tensor) -> Tensor:
        """Solve the dual of every projection."""
        units = torch.eye(len(gramian), dtype=gramian.dtype) / len(gramian)
        return torch.stack([at_least(unit, gramian) for unit in units]).sum(0)


BALANCER = UnconflictingProjections
