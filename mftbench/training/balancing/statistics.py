"""What a batch holds of each task, counted; and the levels at which a task's loss is a mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class BatchStatistics:
    """How much of each task a batch holds: supervised tokens and samples, both (tasks,) int64."""

    tokens: Tensor
    samples: Tensor

    @property
    def present(self) -> Tensor:
        """Say which tasks have a supervised token: (tasks,) bool."""
        return self.tokens > 0

    def cpu(self) -> BatchStatistics:
        """Give the same counts on the CPU, where balancers live."""
        return BatchStatistics(self.tokens.cpu(), self.samples.cpu())

    def __add__(self, other: BatchStatistics) -> BatchStatistics:
        return BatchStatistics(self.tokens + other.tokens, self.samples + other.samples)


@dataclass(frozen=True)
class SampleIndex:
    """Which sample each of N supervised tokens is of, counted from 0, and how many it has: (N,)."""

    samples: Tensor
    sizes: Tensor

    def mean(self, values: Tensor) -> Tensor:
        """Give each token the mean over its sample: (N,) to (N,)."""
        number = int(self.samples.max()) + 1 if len(self.samples) else 0
        sums = values.new_zeros(number).index_add(0, self.samples, values)
        return sums[self.samples] / self.sizes.to(values)


@dataclass(frozen=True)
class Level:
    """What a task's loss is the mean of.

    ``unit`` turns token losses, (N,), into what each token adds to its task's sum, looking no
    further than its sample; ``count`` is the number that the sum is divided by, per task. So a
    task's loss is ``sum(unit) / count``, which can be summed over any split of a batch.
    """

    name: str
    unit: Callable[[Tensor, SampleIndex], Tensor]
    count: Callable[[BatchStatistics], Tensor]


TOKEN = Level("token", lambda losses, index: losses, lambda batch: batch.tokens)
SAMPLE = Level(
    "sample",
    lambda losses, index: losses * index.sizes.to(losses).reciprocal(),
    lambda batch: batch.samples,
)
