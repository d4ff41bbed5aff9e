"""Methods on task gradients: their weights are made of the gradients' inner products."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from mftbench.training.balancing.balancer import Balancer, Gradients
from mftbench.training.balancing.statistics import BatchStatistics


class GradientBalancer(Balancer):
    """Base of methods that combine task gradients g_k into ``sum_k w_k g_k``, w from ``g_k . g_l``.

    A method is the one map ``combine``. It sees the tasks that are present, ordered by name: so
    neither absent tasks nor the study's order of tasks show in what it does.
    """

    gradients = Gradients.PARAMETERS
    needs_gradients: ClassVar[bool] = True

    @abstractmethod
    def combine(self, gramian: Tensor) -> Tensor:
        """Map the inner products of n gradients, (n, n) float64, to their n weights."""

    def forward(
        self, losses: Tensor, batch: BatchStatistics, gramian: Tensor | None = None
    ) -> Tensor:
        """Weigh the tasks that are present; ``gramian`` is (tasks, tasks)."""
        assert gramian is not None
        order = sorted(range(len(self.tasks)), key=lambda task: self.tasks[task].name)
        chosen = torch.tensor([task for task in order if batch.present[task]], dtype=torch.int64)
        weights = torch.zeros_like(losses)
        if len(chosen):
            part = gramian[chosen][:, chosen].double()
            weights = weights.index_copy(0, chosen, self.combine(part).to(weights))
        return (losses * weights.detach()).sum()
