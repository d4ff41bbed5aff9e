"""Smooth Tchebycheff: the task that is worst off beside its start is trained most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from mftbench.errors import UsageError
from mftbench.training.balancing.balancer import BalancedTask, Balancer
from mftbench.training.balancing.probe import Probe
from mftbench.training.balancing.statistics import BatchStatistics


class SmoothTchebycheff(Balancer):
    """Smooth Tchebycheff scalarization of log losses.

    ``mu logsumexp_k(log(l_k / z_k) / mu)`` over present tasks, z_k the task's mean loss in the
    first ``warmup`` steps, during which the loss is ``mean_k log l_k``; a small ``mu`` is near the
    maximum. The code of LibMTL multiplies by K. Source: Lin et al., arXiv 2402.19078. Cost: one
    forward pass in the exact way where the batch is accumulated, else none.
    """

    needs_losses: ClassVar[bool] = True
    sums: Tensor
    counts: Tensor
    steps: Tensor

    def __init__(self, tasks: Sequence[BalancedTask], mu: float = 1.0, warmup: int = 20) -> None:
        if mu <= 0:
            raise UsageError(f"mu of balancer 'stch' is {mu}; it must be above 0")
        super().__init__(tasks)
        self.mu = mu
        self.warmup = warmup
        self.register_buffer("sums", torch.zeros(len(tasks), dtype=torch.float64))
        self.register_buffer("counts", torch.zeros(len(tasks), dtype=torch.float64))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Combine the logarithms of the losses beside their start."""
        present = batch.present
        if not present.any():
            return losses.sum() * 0
        logs = torch.where(present, losses, 1.0).clamp(min=1e-12).log()
        if self.steps < self.warmup:
            return (logs * present).sum() / present.sum()
        start = torch.where(self.counts > 0, self.sums / self.counts.clamp(min=1), 1.0)
        ratios = (logs - start.clamp(min=1e-12).log()).masked_fill(~present, -torch.inf)
        return self.mu * (ratios / self.mu).logsumexp(0)

    def after_step(self, probe: Probe) -> None:
        """Count a task's start: the warm-up, or later the first step that it is present in."""
        counted = probe.batch.present & ((self.steps < self.warmup) | (self.counts == 0))
        self.sums += torch.where(counted, probe.losses, 0.0)
        self.counts += counted
        self.steps += 1


BALANCER = SmoothTchebycheff
