"""Geometric loss: tasks count by how far they fall in proportion."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from mftbench.training.balancing.balancer import Balancer
from mftbench.training.balancing.statistics import BatchStatistics


class GeometricLoss(Balancer):
    """The geometric mean of the losses of present tasks.

    ``(prod_k l_k)^(1/K)``, so the weights are ``GLS / (K l_k)``. Source: Chennupati et al., arXiv
    1904.08492. Cost: one forward pass in the exact way where the batch is accumulated, else none.
    """

    needs_losses: ClassVar[bool] = True

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Multiply by adding logarithms."""
        logs = torch.where(batch.present, losses, 1.0).clamp(min=1e-12).log()
        count = batch.present.sum()
        # An empty batch has the loss 0 and not the empty product, 1.
        return (logs.sum() / count.clamp(min=1)).exp() * (count > 0)


BALANCER = GeometricLoss
