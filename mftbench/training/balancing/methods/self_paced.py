"""Self-paced: weights from how steeply each task's validation loss falls."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mftbench.training.balancing.balancer import BalancedTask, Balancer
from mftbench.training.balancing.history import History, slopes
from mftbench.training.balancing.probe import Probe
from mftbench.training.balancing.statistics import BatchStatistics
from mftbench.training.balancing.weighted_mean import weighted_mean


class SelfPaced(Balancer):
    """The self-paced loss of MFTCoder 0.3 to 0.4, as its code has it.

    s_k is the slope of task k's last ``history`` validation losses;
    ``n_k = K s_k / sum_j |s_j|``; ``w = softmax(scale * softmax(n)_k * (-n_k))``, uniform before
    there is a slope. The loss is the mean of task losses weighed by w. It is peaky: with three
    falling tasks the middle one can take nearly all. Source: MFTCoder 0.4.3, ``loss_utils.py``.
    Cost: a forward pass on validation rows every ``interval`` steps.
    """

    def __init__(
        self,
        tasks: Sequence[BalancedTask],
        history: int = 100,
        interval: int = 1,
        scale: float = 50.0,
    ) -> None:
        super().__init__(tasks)
        self.interval = max(interval, 1)
        self.scale = scale
        self.history = History(len(tasks), history)

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Weigh the tasks by the slopes of their validation losses."""
        weights = self_paced_weights(slopes(self.history.rows), self.scale)
        return weighted_mean(losses, weights, batch.present)

    def after_step(self, probe: Probe) -> None:
        """Measure the next validation batch."""
        if probe.step % self.interval == 0:
            measured = probe.validation(probe.step // self.interval)
            self.history.append(measured.losses.masked_fill(~measured.batch.present, torch.nan))


def self_paced_weights(slope: Tensor, scale: float) -> Tensor:
    """Turn slopes into weights that sum to 1: both (tasks,)."""
    total = slope.abs().sum()
    if total == 0:
        return torch.full_like(slope, 1 / len(slope))
    relative = len(slope) * slope / total
    return (scale * relative.softmax(0) * -relative).softmax(0)


BALANCER = SelfPaced
