"""Focal loss by samples: a sample that the model is sure of counts little."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from mftbench.errors import UsageError
from mftbench.training.balancing.balancer import BalancedTask
from mftbench.training.balancing.methods.task_token import TaskTokenMean
from mftbench.training.balancing.statistics import SAMPLE, Level, SampleIndex


class FocalSample(TaskTokenMean):
    """The mean over tasks of each task's mean of focal sample losses: Eq. 2 of MFTCoder.

    ``l_k = mean_j (1 - P_kj)^gamma (-Q_kj)``, Q_kj the mean log probability of the tokens of sample
    j and P_kj their mean probability; ``sum_k a_k l_k / sum_k a_k``, a_k the paper's alpha. Both
    factors are differentiated. Source: Liu et al., arXiv 2311.02303; Lin et al., arXiv 1708.02002.
    Cost: none.
    """

    def __init__(self, tasks: Sequence[BalancedTask], gamma: float = 2.0) -> None:
        if gamma < 1:
            raise UsageError(f"gamma of balancer 'focal_sample' is {gamma}; it must be at least 1")
        super().__init__(tasks)
        self.level = Level("focal sample", partial(_focal, gamma=gamma), SAMPLE.count)


def _focal(losses: Tensor, index: SampleIndex, gamma: float) -> Tensor:
    # The mean over a sample's tokens, spread over them, so that they sum to it.
    doubt = 1 - index.mean((-losses).exp())
    return doubt.clamp(min=0) ** gamma * index.mean(losses) / index.sizes.to(losses)


BALANCER = FocalSample
