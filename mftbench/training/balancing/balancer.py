"""The balancer: a map from task losses to one scalar, whose gradient is the task weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from mftbench.errors import PluginError
from mftbench.training.balancing.statistics import TOKEN, BatchStatistics, Level


@dataclass(frozen=True)
class BalancedTask:
    """A task as a balancer sees it: its name, and the weight that the study gives it."""

    name: str
    weight: float = 1.0


@dataclass(frozen=True)
class Probe:
    """What a balancer may look at after an optimizer step; nothing is computed unless called.

    ``losses`` are the global batch's task losses at the balancer's level, before the step: (tasks,)
    float64, 0 for an absent task. ``losses_after`` gives the same batch's losses with the moved
    weights, for one forward pass without gradients.
    """

    step: int
    losses: Tensor
    batch: BatchStatistics
    losses_after: Callable[[], Tensor]


class Balancer(nn.Module, ABC):
    """Base of all balancers. Everything that must survive a resume is in its ``state_dict``.

    Constructor parameters after ``tasks`` are the method's options. Three class attributes declare
    what the trainer has to know, so that it never asks which balancer it holds:

    ``level``: what a task's loss is the mean of, TOKEN (Eq. 1 of the paper) or SAMPLE.
    ``needs_losses``: False where the weights are known before the batch is run, constant or made of
    earlier steps. True where they depend on the batch's own losses: the trainer then measures
    those first, with one more forward pass without gradients. Either way the weights are exact.
    ``symmetric``: True where equal losses, counts and task weights on a fresh state give equal
    weights; ``check_balancer`` holds a method to it.
    """

    level: Level = TOKEN
    needs_losses: ClassVar[bool] = False
    symmetric: ClassVar[bool] = True

    def __init__(self, tasks: Sequence[BalancedTask]) -> None:
        super().__init__()
        self.tasks = tuple(tasks)

    @abstractmethod
    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Combine task losses into one scalar, called once per balanced batch.

        ``losses`` is (tasks,) float64 on the CPU, 0 where a task is absent from the batch; a method
        with ``needs_losses`` False gets ones for the tasks that are present.
        """

    def after_step(self, probe: Probe) -> None:
        """Learn from a step that was taken; a method without state has nothing to do here."""


def task_weights(balancer: Balancer, losses: Tensor, batch: BatchStatistics) -> Tensor:
    """Give the effective task weights, the gradient of the balanced loss: (tasks,) float64.

    Raises PluginError if the balancer gives no finite scalar, or weight to an absent task.
    """
    leaf = losses.detach().double().clone().requires_grad_()
    with torch.enable_grad():
        value = balancer(leaf, batch)
        if value.ndim or not value.requires_grad:
            raise PluginError(f"{_name(balancer)}: forward() must return a scalar of the losses")
        (weights,) = torch.autograd.grad(value, leaf)
    if not torch.isfinite(weights).all():
        raise PluginError(f"{_name(balancer)}: forward() has weights that are not finite")
    if weights[~batch.present].any():
        raise PluginError(f"{_name(balancer)}: forward() gives weight to a task that is absent")
    return weights


def _name(balancer: Balancer) -> str:
    return f"balancer {type(balancer).__name__}"
