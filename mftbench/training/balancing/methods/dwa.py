"""Dynamic weight average: tasks whose loss falls slowly weigh more."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mftbench.errors import UsageError
from mftbench.training.balancing.balancer import BalancedTask, Balancer
from mftbench.training.balancing.probe import Probe
from mftbench.training.balancing.statistics import BatchStatistics
from mftbench.training.balancing.weighted_mean import present_softmax


class DynamicWeightAverage(Balancer):
    """Weights from the ratio of each task's mean losses in the last two intervals.

    ``sum_k w_k l_k`` with ``w = softmax(r / temperature)`` over present tasks, ``r_k`` the mean
    loss of the task's last whole interval of ``interval`` steps over that of the one before, and 1
    where either is missing; only steps that it is present in are counted. The paper's interval is
    an epoch, and its weights sum to K where these sum to 1.
    Source: Liu et al., arXiv 1803.10704. Cost: none.
    """

    means: Tensor
    sums: Tensor
    counts: Tensor

    def __init__(
        self, tasks: Sequence[BalancedTask], temperature: float = 2.0, interval: int = 50
    ) -> None:
        if temperature <= 0:
            raise UsageError(f"temperature of balancer 'dwa' is {temperature}; it must be above 0")
        super().__init__(tasks)
        self.temperature = temperature
        self.interval = max(interval, 1)
        unknown = torch.full((2, len(tasks)), torch.nan, dtype=torch.float64)
        self.register_buffer("means", unknown)
        self.register_buffer("sums", torch.zeros(len(tasks), dtype=torch.float64))
        self.register_buffer("counts", torch.zeros(len(tasks), dtype=torch.float64))

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Weigh the tasks by the softmax of their ratios."""
        before, last = self.means
        ratio = (last / before.clamp(min=1e-12)).nan_to_num(nan=1.0)
        return (losses * present_softmax(ratio / self.temperature, batch.present)).sum()

    def after_step(self, probe: Probe) -> None:
        """Count the losses of each task's interval, and close those that are whole."""
        self.sums += probe.losses * probe.batch.present
        self.counts += probe.batch.present
        whole = self.counts == self.interval
        latest = torch.stack([self.means[1], self.sums / self.interval])
        self.means.copy_(torch.where(whole, latest, self.means))
        self.sums[whole] = 0
        self.counts[whole] = 0


BALANCER = DynamicWeightAverage
