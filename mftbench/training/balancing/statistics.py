"""What a batch holds of each task, counted; and the two levels at which a task's loss is a mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
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
class Level:
    """What a task's loss is the mean of.

    ``unit`` turns the number of supervised tokens of each token's sample into that token's share of
    one count; ``count`` is the number of those counts per task. So a task's loss is
    ``sum(unit * token loss) / count``, which can be summed over any split of a batch.
    """

    name: str
    unit: Callable[[Tensor], Tensor]
    count: Callable[[BatchStatistics], Tensor]


TOKEN = Level(
    "token", lambda sizes: torch.ones_like(sizes, dtype=torch.float64), lambda batch: batch.tokens
)
SAMPLE = Level("sample", lambda sizes: sizes.double().reciprocal(), lambda batch: batch.samples)
