"""Gradients of task losses, summed over a window, and their inner products."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mftbench.errors import UsageError
from mftbench.training.balancing.balancer import Gradients
from mftbench.training.balancing.statistics import BatchStatistics

Reduce = Callable[[Tensor], Tensor]  # sums a tensor over all ranks


@dataclass(frozen=True)
class MicroBatch:
    """One micro-batch after its forward pass.

    ``sums`` are its losses by task with their graph, (2, tasks), in tokens and in the balancer's
    units; ``hidden`` the last hidden states that predict, (N, hidden), where the model's output
    head is known, and ``tasks`` their tasks, (N,).
    """

    sums: Tensor
    counts: BatchStatistics
    tasks: Tensor
    hidden: Tensor | None


class TaskGradients(ABC):
    """Adds up what a window's micro-batches say of the gradients of its task losses."""

    def __init__(self, tasks: int) -> None:
        self.tasks = tasks

    @abstractmethod
    def add(self, micro: MicroBatch) -> None:
        """Take the gradients of one micro-batch; its graph stays."""

    @abstractmethod
    def products(self, reduce: Reduce) -> Tensor:
        """Give the inner products of the gradients of summed losses: (tasks, tasks) float64."""

    def gramian(self, counts: Tensor, reduce: Reduce) -> Tensor:
        """Give the inner products of the gradients of task losses, sums over ``counts``."""
        counts = counts.clamp(min=1).double()
        return self.products(reduce).cpu().double() / torch.outer(counts, counts)


class RepresentationGradients(TaskGradients):
    """Of an offset that all last hidden states share: a task's is the sum of its rows'.

    One backward pass through the output head gives those of all tasks, because each supervised
    token is of one task.
    """

    _sum: Tensor | None = None

    def add(self, micro: MicroBatch) -> None:
        """Sum the rows by task."""
        rows = _rows(micro)
        sums = rows.new_zeros((self.tasks, rows.shape[1])).index_add(0, micro.tasks, rows)
        self._sum = _wide(sums) if self._sum is None else self._sum + sums

    def products(self, reduce: Reduce) -> Tensor:
        """Multiply the sums over ranks."""
        assert self._sum is not None
        total = reduce(self._sum)
        return total @ total.T


class TokenGradients(TaskGradients):
    """Of the last hidden states themselves: orthogonal, because each token is of one task."""

    _squares: Tensor | None = None

    def add(self, micro: MicroBatch) -> None:
        """Sum the squared lengths by task."""
        lengths = _wide(_rows(micro)).square().sum(1)
        squares = lengths.new_zeros(self.tasks).index_add(0, micro.tasks, lengths)
        self._squares = squares if self._squares is None else self._squares + squares

    def products(self, reduce: Reduce) -> Tensor:
        """Put the squared lengths on the diagonal."""
        assert self._squares is not None
        return reduce(self._squares).diag()


class ParameterGradients(TaskGradients):
    """Of everything that is trained, kept apart: a buffer of their size for each task."""

    def __init__(self, tasks: int, parameters: Sequence[nn.Parameter]) -> None:
        super().__init__(tasks)
        self.parameters = parameters
        self._buffers = [[torch.zeros_like(p) for p in parameters] for _ in range(tasks)]
        self._reduced = False

    def add(self, micro: MicroBatch) -> None:
        """Run a backward pass for each task that the micro-batch holds."""
        for task in micro.counts.present.nonzero().flatten().tolist():
            gradients = torch.autograd.grad(
                micro.sums[1, task], self.parameters, retain_graph=True, allow_unused=True
            )
            for buffer, gradient in zip(self._buffers[task], gradients, strict=True):
                if gradient is not None:
                    buffer += gradient

    def products(self, reduce: Reduce) -> Tensor:
        """Multiply parameter by parameter, after summing over ranks."""
        self._reduce(reduce)
        total = torch.zeros((self.tasks, self.tasks), dtype=torch.float64)
        for kinds in zip(*self._buffers, strict=True):
            rows = torch.stack([buffer.flatten() for buffer in kinds])
            total += _products(rows).cpu().double()
        return total

    def combine(self, coefficients: Tensor, reduce: Reduce) -> None:
        """Make ``sum_k c_k g_k`` the gradient of the parameters; the same on every rank."""
        self._reduce(reduce)
        for index, parameter in enumerate(self.parameters):
            parameter.grad = torch.zeros_like(parameter)
            for coefficient, buffers in zip(coefficients.tolist(), self._buffers, strict=True):
                parameter.grad.add_(buffers[index], alpha=coefficient)

    def _reduce(self, reduce: Reduce) -> None:
        if not self._reduced:
            self._buffers = [[reduce(buffer) for buffer in row] for row in self._buffers]
            self._reduced = True


def _products(rows: Tensor) -> Tensor:
    pieces = (_wide(piece) for piece in torch.split(rows, 1 << 20, dim=1))
    return torch.stack([piece @ piece.T for piece in pieces]).sum(0)


def _wide(tensor: Tensor) -> Tensor:
    # So that a small conflict of long gradients does not drown in rounding; Apple's GPU has none.
    return tensor if tensor.device.type == "mps" else tensor.double()


def _rows(micro: MicroBatch) -> Tensor:
    if micro.hidden is None:
        raise UsageError(
            "representation gradients need a model whose output head is known; "
            "choose a balancer on losses or on parameter gradients"
        )
    (rows,) = torch.autograd.grad(micro.sums[1].sum(), micro.hidden, retain_graph=True)
    return rows.detach().float()


def require_whole(*, sharded: bool) -> None:
    """Raise UsageError where parameters are sharded: their gradients cannot be kept apart."""
    if sharded:
        raise UsageError(
            "per-task parameter gradients need whole parameters, and parallel.kind shards them; "
            "set it to 'ddp', or choose another balancer and optim.affinity_every = 0"
        )


def collect(
    gradients: Gradients, tasks: int, parameters: Sequence[nn.Parameter]
) -> TaskGradients | None:
    """Make the collector of the gradients that a balancer declares."""
    kinds: dict[Gradients, Callable[[], TaskGradients]] = {
        Gradients.REPRESENTATION: lambda: RepresentationGradients(tasks),
        Gradients.TOKENS: lambda: TokenGradients(tasks),
        Gradients.PARAMETERS: lambda: ParameterGradients(tasks, parameters),
    }
    return kinds[gradients]() if gradients in kinds else None
