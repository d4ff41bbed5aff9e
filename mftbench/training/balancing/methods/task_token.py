"""Task token mean: every task counts by its weight, however much data it has."""

from __future__ import annotations

import torch
from torch import Tensor

from mftbench.training.balancing.balancer import Balancer
from mftbench.training.balancing.statistics import BatchStatistics
from mftbench.training.balancing.weighted_mean import weighted_mean


class TaskTokenMean(Balancer):
    """The mean over present tasks of each task's token mean: Eq. 1 of MFTCoder, its case3.

    ``sum_k a_k l_k / sum_k a_k`` over the tasks present in the batch, a_k the study's weight of
    task k (1 unless it says otherwise). Source: Liu et al., arXiv 2311.02303, section 3.5.
    Cost: none.
    """

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Weigh each present task by its share of the weights; if all are 0, so is the loss."""
        weights = torch.tensor([task.weight for task in self.tasks], dtype=losses.dtype)
        return weighted_mean(losses, weights, batch.present)


BALANCER = TaskTokenMean
