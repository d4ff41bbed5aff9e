"""Loss-balanced task weighting: tasks that have come down little weigh more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from mftbench.training.balancing.balancer import BalancedTask, Balancer
from mftbench.training.balancing.probe import Probe
from mftbench.training.balancing.statistics import BatchStatistics


class LossBalanced(Balancer):
    """Each task weighed by its loss over its first loss.

    ``mean_k w_k l_k`` over present tasks with ``w_k = (l_k / l_k(0))^alpha`` held fixed, l_k(0) the
    task's first loss in the run or, given ``interval``, in each interval of so many steps (the
    paper's epoch). Source: Liu, Liang and Gitter, AAAI 2019. Cost: one forward pass in the exact
    way where the batch is accumulated, else none.
    """

    needs_losses: ClassVar[bool] = True
    first: Tensor
    intervals: Tensor  # in which each first loss was
    steps: Tensor

    def __init__(
        self, tasks: Sequence[BalancedTask], alpha: float = 0.5, interval: int = 0
    ) -> None:
        super().__init__(tasks)
        self.alpha = alpha
        self.interval = interval
        self.register_buffer("first", torch.full((len(tasks),), torch.nan, dtype=torch.float64))
        self.register_buffer("intervals", torch.zeros(len(tasks), dtype=torch.int64))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Weigh the tasks by how much of their first loss is left."""
        ratio = losses.detach() / self._first().clamp(min=1e-12)
        weights = ratio.nan_to_num(nan=1.0) ** self.alpha * batch.present
        return (losses * weights).sum() / batch.present.sum().clamp(min=1)

    def after_step(self, probe: Probe) -> None:
        """Keep the first loss of a task that was not seen before in the interval."""
        new = probe.batch.present & self._first().isnan()
        self.first.copy_(torch.where(new, probe.losses, self.first))
        self.intervals.masked_fill_(new, self._current)
        self.steps += 1

    @property
    def _current(self) -> int:
        return int(self.steps) // self.interval if self.interval > 0 else 0

    def _first(self) -> Tensor:
        return torch.where(self.intervals == self._current, self.first, torch.nan)


BALANCER = LossBalanced
