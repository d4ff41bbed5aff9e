"""FAMO: tasks that improve faster than the others lose weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from mftbench.training.balancing.adam import TaskAdam
from mftbench.training.balancing.balancer import BalancedTask, Balancer
from mftbench.training.balancing.probe import Probe
from mftbench.training.balancing.statistics import BatchStatistics
from mftbench.training.balancing.weighted_mean import present_softmax

_EPSILON = 1e-8


class Famo(Balancer):
    """Fast adaptive multitask optimization, on the training losses.

    ``sum_k z_k log(l_k) / c`` with ``z = softmax(xi)`` and ``c = sum_k z_k / l_k`` held fixed, so
    the weights are ``(z_k / l_k) / c``. After the step xi moves by Adam along
    ``J_softmax(xi)^T (log l - log l')``, l' the same batch's losses with the moved weights.
    Source: Liu et al., arXiv 2306.03792, and its official code. Cost: two forward passes in the
    exact way (one where nothing is accumulated), none in the deferred way.
    """

    needs_losses: ClassVar[bool] = True
    logits: Tensor

    def __init__(
        self, tasks: Sequence[BalancedTask], lr: float = 0.025, weight_decay: float = 0.001
    ) -> None:
        super().__init__(tasks)
        self.register_buffer("logits", torch.zeros(len(tasks), dtype=torch.float64))
        self.adam = TaskAdam(len(tasks), lr, weight_decay)

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Weigh the gradients of log losses by the softmax, normalised to sum to 1."""
        shares = present_softmax(self.logits, batch.present)
        values = torch.where(batch.present, losses, 1.0) + _EPSILON
        scale = (shares / values.detach()).sum()
        return (shares * values.log()).sum() / torch.where(scale > 0, scale, 1.0)

    def after_step(self, probe: Probe) -> None:
        """Move weight from the tasks that gained most to the others."""
        self.learn(probe.losses, probe.losses_after(), probe.batch.present)

    def learn(self, before: Tensor, after: Tensor, present: Tensor) -> None:
        """Move the logits of present tasks by what each one's log loss has fallen."""
        fallen = (before + _EPSILON).log() - (after + _EPSILON).log()
        fallen = torch.where(present, fallen, 0.0)
        shares = present_softmax(self.logits, present)
        self.adam.step(self.logits, shares * (fallen - (shares * fallen).sum()), present)


BALANCER = Famo
