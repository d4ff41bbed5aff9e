"""Uncertainty weighting: each task's noise is learned, and divides its loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mftbench.training.balancing.adam import TaskAdam
from mftbench.training.balancing.balancer import BalancedTask, Balancer
from mftbench.training.balancing.probe import Probe
from mftbench.training.balancing.statistics import BatchStatistics


class Uncertainty(Balancer):
    """Homoscedastic uncertainty, with one learned log variance s_k per task.

    ``mean_k (l_k / (2 exp(s_k)) + s_k / 2)`` over present tasks, the mean in place of the paper's
    sum. s_k moves after each step by its own Adam along its gradient, ``1/2 - l_k / (2 exp(s_k))``.
    Source: Kendall et al., arXiv 1705.07115. Cost: none.
    """

    log_variances: Tensor

    def __init__(
        self, tasks: Sequence[BalancedTask], lr: float = 0.025, initial: float = -0.5
    ) -> None:
        super().__init__(tasks)
        start = torch.full((len(tasks),), initial, dtype=torch.float64)
        self.register_buffer("log_variances", start)
        self.adam = TaskAdam(len(tasks), lr)

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Divide each loss by twice its variance."""
        terms = losses / (2 * self.log_variances.exp()) + self.log_variances / 2
        return (terms * batch.present).sum() / batch.present.sum().clamp(min=1)

    def after_step(self, probe: Probe) -> None:
        """Move the log variances of the tasks that were present."""
        gradient = 0.5 - probe.losses / (2 * self.log_variances.exp())
        self.adam.step(self.log_variances, gradient, probe.batch.present)


BALANCER = Uncertainty
