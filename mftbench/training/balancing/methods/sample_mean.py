"""Sample mean: every sample counts the same, however long."""

from __future__ import annotations

from torch import Tensor

from mftbench.training.balancing.balancer import Balancer
from mftbench.training.balancing.statistics import SAMPLE, BatchStatistics


class SampleMean(Balancer):
    """One mean over samples of each sample's token mean: MFTCoder's case2.

    ``sum_k (M_k / M) l_k``, M_k the samples of task k, l_k at sample level. Cost: none.
    """

    level = SAMPLE

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Weigh each task by its share of the samples."""
        return (losses * batch.samples).sum() / batch.samples.sum().clamp(min=1)


BALANCER = SampleMean
