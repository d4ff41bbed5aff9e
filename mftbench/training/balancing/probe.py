"""What a balancer may look at after an optimizer step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from mftbench.errors import UsageError
from mftbench.training.balancing.statistics import BatchStatistics


@dataclass(frozen=True)
class Measured:
    """Task losses at the balancer's level, (tasks,) float64 and 0 where absent, and the counts."""

    losses: Tensor
    batch: BatchStatistics


class Validation(Protocol):
    """The validation rows in batches that hold every task that has any."""

    def __len__(self) -> int:
        """Count the batches that it takes until every row was in one."""

    def __call__(self, index: int) -> Measured:
        """Measure a batch with the weights as they are now: a forward pass without gradients.

        ``index`` may be of any size: after the last batch comes the first.
        """


class NoValidation:
    """Stands for a run without validation rows; asking it for losses is the study's mistake."""

    def __len__(self) -> int:
        return 0

    def __call__(self, index: int) -> Measured:
        """Raise UsageError."""
        raise UsageError(
            "the balancer needs validation losses and there are no validation rows; "
            "raise optim.valid_share above 0"
        )


@dataclass(frozen=True)
class Probe:
    """What a balancer may look at after an optimizer step; what is called is computed, else not.

    ``losses`` are the global batch's task losses at the balancer's level, before the step: (tasks,)
    float64, 0 for an absent task. ``losses_after`` gives the same batch's losses with the moved
    weights, for one forward pass without gradients. ``gramian`` are the inner products of the task
    gradients that the balancer declares, before the step: (tasks, tasks) float64, rows and columns
    0 for an absent task.
    """

    step: int
    losses: Tensor
    batch: BatchStatistics
    losses_after: Callable[[], Tensor]
    gramian: Tensor | None = None
    validation: Validation = field(default_factory=NoValidation)

    @property
    def gradient_norms(self) -> Tensor:
        """Give the norms of the task gradients: (tasks,) float64, 0 for an absent task."""
        assert self.gramian is not None, "the balancer declares no gradients"
        return self.gramian.diagonal().clamp(min=0).sqrt()
