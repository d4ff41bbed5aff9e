"""One optimizer step: its task weights, each micro-batch's part of the loss, and the record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mftbench.training.balancing.balancer import Balancer, task_weights
from mftbench.training.balancing.statistics import BatchStatistics

Reduce = Callable[[Tensor], Tensor]  # sums a tensor over all ranks


@dataclass(frozen=True)
class StepRecord:
    """What one optimizer step saw of the whole global batch; tensors are (tasks,) on the CPU.

    ``token_sums`` are summed token cross-entropies, ``losses`` the task losses at the balancer's
    level (0 where absent), ``weights`` what each task's loss was multiplied by.
    """

    batch: BatchStatistics
    token_sums: Tensor
    losses: Tensor
    weights: Tensor

    @property
    def loss(self) -> float:
        """Give the balanced loss whose gradient was taken."""
        return float((self.weights * self.losses).sum())


@dataclass(frozen=True)
class WindowShape:
    """How a global batch is cut: micro-batches per rank, and ranks that average their gradients."""

    micro_batches: int
    ranks: int


class Window(ABC):
    """The micro-batches of one optimizer step, on their way to one gradient."""

    def __init__(self, balancer: Balancer, batch: BatchStatistics, shape: WindowShape) -> None:
        self.balancer = balancer
        self.batch = batch
        self.shape = shape
        self._sums = torch.zeros((2, len(batch.tokens)), dtype=torch.float64)

    def add(self, sums: Tensor, micro_batch: BatchStatistics) -> Tensor:
        """Give one micro-batch's part of the loss to differentiate.

        ``sums`` are its losses by task, (2, tasks), in tokens and in the balancer's units.
        """
        self._sums = self._sums.to(sums) + sums.detach()
        return self._part(sums[1], micro_batch)

    def close(self, reduce: Reduce) -> StepRecord:
        """Give the record of the step, after its last micro-batch."""
        token_sums, unit_sums = reduce(self._sums).cpu()
        return StepRecord(
            batch=self.batch,
            token_sums=token_sums,
            losses=task_means(unit_sums, self.balancer, self.batch),
            weights=self._weights(reduce),
        )

    @abstractmethod
    def _part(self, sums: Tensor, micro_batch: BatchStatistics) -> Tensor: ...

    @abstractmethod
    def _weights(self, reduce: Reduce) -> Tensor: ...


class GlobalWindow(Window):
    """Balance over the global batch: ``sum_k (w_k / C_k) S_k``, C_k counted before any backward.

    So the gradient is that of one large batch, however it is cut into micro-batches and ranks.
    """

    def __init__(
        self,
        balancer: Balancer,
        batch: BatchStatistics,
        shape: WindowShape,
        measure: Callable[[], Tensor],
    ) -> None:
        super().__init__(balancer, batch, shape)
        losses = measure() if balancer.needs_losses else batch.present.double()
        self._task_weights = task_weights(balancer, losses, batch)
        count = balancer.level.count(batch).clamp(min=1)
        self._coefficients = self._task_weights / count * shape.ranks

    def _part(self, sums: Tensor, micro_batch: BatchStatistics) -> Tensor:
        return (sums * self._coefficients.to(sums)).sum()

    def _weights(self, reduce: Reduce) -> Tensor:
        return self._task_weights


class MicroWindow(Window):
    """Balance each micro-batch of each rank alone, then average: what MFTCoder's code does.

    Here for comparison. With few rows in a micro-batch it balances nothing: with one or two, a task
    weighs what its share of the rows is.
    """

    def __init__(
        self,
        balancer: Balancer,
        batch: BatchStatistics,
        shape: WindowShape,
        measure: Callable[[], Tensor],
    ) -> None:
        super().__init__(balancer, batch, shape)
        self._total = torch.zeros(len(batch.tokens), dtype=torch.float64)

    def _part(self, sums: Tensor, micro_batch: BatchStatistics) -> Tensor:
        micro_batch = micro_batch.cpu()
        means = task_means(sums.detach().cpu(), self.balancer, micro_batch)
        weights = task_weights(self.balancer, means, micro_batch)
        self._total += weights
        coefficients = weights / self.balancer.level.count(micro_batch).clamp(min=1)
        return (sums * coefficients.to(sums)).sum() / self.shape.micro_batches

    def _weights(self, reduce: Reduce) -> Tensor:
        return reduce(self._total) / (self.shape.micro_batches * self.shape.ranks)


SCOPES: dict[
    str, Callable[[Balancer, BatchStatistics, WindowShape, Callable[[], Tensor]], Window]
] = {"global": GlobalWindow, "micro": MicroWindow}


def task_means(unit_sums: Tensor, balancer: Balancer, batch: BatchStatistics) -> Tensor:
    """Divide sums in the balancer's units by their counts: (tasks,) float64, 0 where absent."""
    return unit_sums.double() / balancer.level.count(batch).clamp(min=1)
