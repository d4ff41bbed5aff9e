"""One optimizer step: its task weights, each micro-batch's part of the loss, and the record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mftbench.training.balancing.balancer import Balancer, task_weights
from mftbench.training.balancing.statistics import BatchStatistics
from mftbench.training.finite import require_finite
from mftbench.training.task_gradients import (
    MicroBatch,
    ParameterGradients,
    Reduce,
    TaskGradients,
)


@dataclass(frozen=True)
class Signals:
    """What weights are made of: task losses, (tasks,), and the task gradients' inner products."""

    losses: Tensor
    gramian: Tensor | None = None


@dataclass(frozen=True)
class StepRecord:
    """What one optimizer step saw of the whole global batch; tensors are (tasks,) on the CPU.

    ``token_sums`` are summed token cross-entropies, ``losses`` the task losses at the balancer's
    level (0 where absent), ``weights`` what each task's loss was multiplied by. ``loss`` is the
    balanced loss whose gradient was taken. ``gramian`` is (tasks, tasks), where the balancer
    declares gradients.
    """

    batch: BatchStatistics
    token_sums: Tensor
    losses: Tensor
    weights: Tensor
    loss: float
    gramian: Tensor | None = None


@dataclass(frozen=True)
class WindowShape:
    """How a global batch is cut: micro-batches per rank, and ranks that average their gradients.

    ``reduce`` sums a tensor over the ranks; ``step`` is the number that messages name.
    """

    micro_batches: int
    ranks: int
    reduce: Reduce = lambda tensor: tensor
    step: int = 1


class Window(ABC):
    """The micro-batches of one optimizer step, on their way to one gradient.

    ``gradients`` collects those that the balancer declares, if it declares any.
    """

    def __init__(
        self,
        balancer: Balancer,
        batch: BatchStatistics,
        shape: WindowShape,
        gradients: TaskGradients | None = None,
    ) -> None:
        self.balancer = balancer
        self.batch = batch
        self.shape = shape
        self.gradients = gradients
        self._sums = torch.zeros((2, len(batch.tokens)), dtype=torch.float64)
        self._products: Tensor | None = None

    def add(self, micro: MicroBatch) -> Tensor:
        """Give one micro-batch's part of the loss to differentiate."""
        self._sums = self._sums.to(micro.sums) + micro.sums.detach()
        if self.gradients is not None:
            self.gradients.add(micro)
        return self._part(micro)

    def finish(self) -> None:  # noqa: B027 - most windows have nothing left to do
        """Complete the gradient after the last backward pass, where it is not yet."""

    def close(self) -> StepRecord:
        """Give the record of the step, after its last micro-batch."""
        token_sums, unit_sums = self.shape.reduce(self._sums).cpu()
        losses, weights = task_means(unit_sums, self.balancer, self.batch), self._weights()
        return StepRecord(
            batch=self.batch,
            token_sums=token_sums,
            losses=losses,
            weights=weights,
            loss=self._loss(losses, weights),
            gramian=self._gramian(),
        )

    def _loss(self, losses: Tensor, weights: Tensor) -> float:
        return float((weights * losses).sum())

    def _own(self) -> Signals:
        """Give what the micro-batches so far, all of them, say of the batch."""
        sums = self.shape.reduce(self._sums).cpu()[1]
        return Signals(task_means(sums, self.balancer, self.batch), self._gramian())

    def _gramian(self) -> Tensor | None:
        if self.gradients is not None and self._products is None:
            counts = self.balancer.level.count(self.batch)
            self._products = self.gradients.gramian(counts, self.shape.reduce)
        return self._products

    def _made_of(self, signals: Signals, batch: BatchStatistics) -> Tensor:
        """Have the balancer weigh the tasks, unless the run has diverged: that is not its fault."""
        for task, loss in zip(self.balancer.tasks, signals.losses.tolist(), strict=True):
            require_finite(f"loss of task {task.name!r}", loss, self.shape.step)
        if signals.gramian is not None:
            squares = signals.gramian.diagonal().tolist()
            for task, square in zip(self.balancer.tasks, squares, strict=True):
                require_finite(f"gradient of task {task.name!r}", square, self.shape.step)
        return task_weights(self.balancer, signals.losses, batch, signals.gramian)

    @abstractmethod
    def _part(self, micro: MicroBatch) -> Tensor: ...

    @abstractmethod
    def _weights(self) -> Tensor: ...


class GlobalWindow(Window):
    """Balance over the global batch: ``sum_k (w_k / C_k) S_k``, C_k counted before any backward.

    So the gradient is that of one large batch, however it is cut into micro-batches and ranks.
    ``signals`` are what the weights are made of; without, the window is one micro-batch and its
    own.
    """

    def __init__(
        self,
        balancer: Balancer,
        batch: BatchStatistics,
        shape: WindowShape,
        gradients: TaskGradients | None = None,
        signals: Signals | None = None,
    ) -> None:
        super().__init__(balancer, batch, shape, gradients)
        self._task_weights: Tensor | None = None
        if signals is not None:
            self._weigh(signals)

    def _weigh(self, signals: Signals) -> Tensor:
        self._task_weights = self._made_of(signals, self.batch)
        return self._task_weights

    def _part(self, micro: MicroBatch) -> Tensor:
        count = self.balancer.level.count(self.batch).clamp(min=1)
        coefficients = self._weights() / count * self.shape.ranks
        return (micro.sums[1] * coefficients.to(micro.sums)).sum()

    def _weights(self) -> Tensor:
        return self._weigh(self._own()) if self._task_weights is None else self._task_weights


class ApartWindow(GlobalWindow):
    """Keep the tasks' parameter gradients apart, and combine them once: ``sum_k w_k g_k``.

    The weights may be made of the gradients themselves, and are exact for every split.
    """

    gradients: ParameterGradients

    def finish(self) -> None:
        """Write the gradient of the step."""
        count = self.balancer.level.count(self.batch).clamp(min=1)
        self.gradients.combine(self._weights() / count, self.shape.reduce)

    def _part(self, micro: MicroBatch) -> Tensor:
        # The backward passes are done; the library is handed a loss that moves nothing.
        return torch.zeros((), device=micro.sums.device, requires_grad=True)


class MicroWindow(Window):
    """Balance each micro-batch of each rank alone, then average: what MFTCoder's code does.

    Here for comparison. With few rows in a micro-batch it balances nothing: with one or two, a task
    weighs what its share of the rows is.
    """

    def __init__(self, balancer: Balancer, batch: BatchStatistics, shape: WindowShape) -> None:
        super().__init__(balancer, batch, shape)
        self._total = torch.zeros(len(batch.tokens), dtype=torch.float64)
        self._total_loss = torch.zeros((), dtype=torch.float64)

    def _part(self, micro: MicroBatch) -> Tensor:
        counts = micro.counts.cpu()
        means = task_means(micro.sums[1].detach().cpu(), self.balancer, counts)
        weights = self._made_of(Signals(means), counts)
        self._total += weights
        self._total_loss += (weights * means).sum()
        coefficients = weights / self.balancer.level.count(counts).clamp(min=1)
        return (micro.sums[1] * coefficients.to(micro.sums)).sum() / self.shape.micro_batches

    def _weights(self) -> Tensor:
        return self._mean(self._total)

    def _loss(self, losses: Tensor, weights: Tensor) -> float:
        # Mean weights times mean losses would be another number: weights differ by micro-batch.
        return float(self._mean(self._total_loss))

    def _mean(self, total: Tensor) -> Tensor:
        return self.shape.reduce(total) / (self.shape.micro_batches * self.shape.ranks)


Source = Callable[[], Signals | None]


def _global(
    balancer: Balancer,
    batch: BatchStatistics,
    shape: WindowShape,
    gradients: TaskGradients | None,
    signals: Source,
) -> Window:
    if isinstance(gradients, ParameterGradients):
        return ApartWindow(balancer, batch, shape, gradients)
    return GlobalWindow(balancer, batch, shape, gradients, signals())


def _micro(
    balancer: Balancer,
    batch: BatchStatistics,
    shape: WindowShape,
    gradients: TaskGradients | None,
    signals: Source,
) -> Window:
    return MicroWindow(balancer, batch, shape)


SCOPES: dict[
    str,
    Callable[[Balancer, BatchStatistics, WindowShape, TaskGradients | None, Source], Window],
] = {"global": _global, "micro": _micro}


def task_means(unit_sums: Tensor, balancer: Balancer, batch: BatchStatistics) -> Tensor:
    """Divide sums in the balancer's units by their counts: (tasks,) float64, 0 where absent."""
    return unit_sums.double() / balancer.level.count(batch).clamp(min=1)
