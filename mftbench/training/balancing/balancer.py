"""The balancer: a map from task losses to one scalar, whose gradient is the task weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import torch
from torch import Tensor, nn

from mftbench.errors import PluginError, boundary
from mftbench.training.balancing.probe import Probe, Validation
from mftbench.training.balancing.statistics import TOKEN, BatchStatistics, Level

__all__ = ["BalancedTask", "Balancer", "Gradients", "Probe", "task_weights"]


@dataclass(frozen=True)
class BalancedTask:
    """A task as a balancer sees it: name, the study's weight, and how many rows it trains on."""

    name: str
    weight: float = 1.0
    rows: int = 1


class Gradients(Enum):
    """With respect to what the gradients of the task losses are taken.

    ``REPRESENTATION``: one offset added to all last hidden states, so a task's gradient is the sum
    of its rows', (hidden,). ``TOKENS``: the last hidden states themselves; tasks share no token, so
    these gradients are orthogonal. Both come from a backward pass through the output head alone.
    ``PARAMETERS``: everything that is trained, by a backward pass per task.
    """

    NONE = "none"
    REPRESENTATION = "representation"
    TOKENS = "tokens"
    PARAMETERS = "parameters"


class Balancer(nn.Module, ABC):
    """Base of all balancers. Everything that must survive a resume is in its ``state_dict``.

    Constructor parameters after ``tasks`` are the method's options. Class attributes declare what
    the trainer has to know, so that it never asks which balancer it holds:

    ``level``: what a task's loss is the mean of, TOKEN (Eq. 1 of the paper) or SAMPLE.
    ``needs_losses``: False where the weights are known before the batch is run, constant or made of
    earlier steps. True where they depend on the batch's own losses.
    ``gradients``: which task gradients are looked at in every step, if any; ``needs_gradients`` is
    True where the weights depend on those of the batch itself (see ``GradientBalancer``).
    ``symmetric``: True where equal losses, counts and task weights on a fresh state give equal
    weights; ``check_balancer`` holds a method to it.
    """

    level: Level = TOKEN
    needs_losses: ClassVar[bool] = False
    gradients: Gradients = Gradients.NONE
    needs_gradients: ClassVar[bool] = False
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

    def before_training(self, validation: Validation) -> None:
        """Look at the untrained model, once and not again on resume; most have no need to."""

    def after_step(self, probe: Probe) -> None:
        """Learn from a step that was taken; a method without state has nothing to do here."""


def task_weights(
    balancer: Balancer, losses: Tensor, batch: BatchStatistics, gramian: Tensor | None = None
) -> Tensor:
    """Give the effective task weights, the gradient of the balanced loss: (tasks,) float64.

    ``gramian`` are the inner products of the task gradients, for a method with ``needs_gradients``.
    Raises PluginError if the balancer fails, gives no finite scalar, or weight to an absent task.
    """
    leaf = losses.detach().double().clone().requires_grad_()
    more = (gramian,) if balancer.needs_gradients else ()
    with boundary(_name(balancer), "forward"), torch.enable_grad():
        value = balancer(leaf, batch, *more)
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
