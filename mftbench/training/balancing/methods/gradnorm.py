"""GradNorm: weighted gradients are kept as long as the task's pace asks for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mftbench.training.balancing.adam import TaskAdam
from mftbench.training.balancing.balancer import BalancedTask, Balancer, Gradients
from mftbench.training.balancing.probe import Probe
from mftbench.training.balancing.statistics import BatchStatistics
from mftbench.training.balancing.weighted_mean import present_softmax


class GradNorm(Balancer):
    """Gradient normalization, on representation gradients.

    ``sum_k s_k l_k`` with ``s = softmax(p)`` over present tasks. Then p moves by Adam down
    ``sum_k |G_k - mean(G) r_k^alpha|``, ``G_k = s_k ||g_k||``, ``r_k = (l_k / l_k(0)) / mean``, the
    second term held fixed. The paper's s sums to K, and its gradients are those of the last shared
    layer. Source: Chen et al., arXiv 1711.02257. Cost: a backward pass through the head.
    """

    gradients = Gradients.REPRESENTATION
    logits: Tensor
    first: Tensor

    def __init__(
        self, tasks: Sequence[BalancedTask], alpha: float = 1.5, lr: float = 0.025
    ) -> None:
        super().__init__(tasks)
        self.alpha = alpha
        self.register_buffer("logits", torch.zeros(len(tasks), dtype=torch.float64))
        self.register_buffer("first", torch.full((len(tasks),), torch.nan, dtype=torch.float64))
        self.adam = TaskAdam(len(tasks), lr)

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Weigh the tasks by the softmax."""
        return (losses * present_softmax(self.logits, batch.present)).sum()

    def after_step(self, probe: Probe) -> None:
        """Move the weights so that slow tasks get longer gradients."""
        present, losses = probe.batch.present, probe.losses
        if not present.any():
            return
        self.first.copy_(torch.where(present & self.first.isnan(), losses, self.first))
        target = self._target(losses, present, self._lengths(self.logits, probe))
        with torch.enable_grad():
            logits = self.logits.clone().requires_grad_()
            gap = (self._lengths(logits, probe) - target)[present].abs().sum()
            (gradient,) = torch.autograd.grad(gap, logits)
        self.adam.step(self.logits, gradient, present)

    def _lengths(self, logits: Tensor, probe: Probe) -> Tensor:
        return present_softmax(logits, probe.batch.present) * probe.gradient_norms

    def _target(self, losses: Tensor, present: Tensor, lengths: Tensor) -> Tensor:
        left = losses / self.first.clamp(min=1e-12)
        pace = left / left[present].mean().clamp(min=1e-12)
        return lengths[present].mean() * pace**self.alpha


BALANCER = GradNorm
