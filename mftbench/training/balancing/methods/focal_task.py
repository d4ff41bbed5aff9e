"""Focal loss by tasks: a task that the model is sure of counts little."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from mftbench.errors import UsageError
from mftbench.training.balancing.balancer import BalancedTask, Balancer
from mftbench.training.balancing.statistics import SAMPLE, BatchStatistics
from mftbench.training.balancing.weighted_mean import weighted_mean


class FocalTask(Balancer):
    """The mean over tasks of focal task losses: Eq. 3 of MFTCoder.

    ``sum_k a_k (1 - P_k)^gamma (-Q_k) / sum_k a_k``, Q_k the mean over samples of the mean log
    probability of their tokens, and ``P_k = exp(Q_k)``: the geometric mean of the probabilities, so
    that the loss of a task says it all (the paper may mean the arithmetic one). a_k is the paper's
    alpha. Both factors are differentiated. Source: Liu et al., arXiv 2311.02303. Cost: one forward
    pass in the exact way where the batch is accumulated, else none.
    """

    level = SAMPLE
    needs_losses: ClassVar[bool] = True

    def __init__(self, tasks: Sequence[BalancedTask], gamma: float = 2.0) -> None:
        if gamma < 1:
            raise UsageError(f"gamma of balancer 'focal_task' is {gamma}; it must be at least 1")
        super().__init__(tasks)
        self.gamma = gamma

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Weigh a task by its weight and by how little the model is sure of it."""
        weights = torch.tensor([task.weight for task in self.tasks], dtype=losses.dtype)
        focal = (-torch.expm1(-losses)) ** self.gamma * losses
        return weighted_mean(focal, weights, batch.present)


BALANCER = FocalTask
