"""Token mean: no rebalancing, every supervised token counts the same."""

from __future__ import annotations

from torch import Tensor

from mftbench.training.balancing.balancer import Balancer
from mftbench.training.balancing.statistics import BatchStatistics


class TokenMean(Balancer):
    """One mean over all supervised tokens: the *mixed* mode, MFTCoder's case1.

    ``sum_k (N_k / N) l_k``, N_k the supervised tokens of task k. Cost: none.
    """

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Weigh each task by its share of the tokens."""
        return (losses * batch.tokens).sum() / batch.tokens.sum().clamp(min=1)


BALANCER = TokenMean
