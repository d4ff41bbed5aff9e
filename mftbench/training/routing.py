"""What a model is told of its tokens' tasks, where its parameters depend on them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from torch import Tensor

from mftbench.training.batches import Batch


class Routing(Protocol):
    """Tells a model which task each token is of; of most models nothing depends on it."""

    def begin_step(self, seed: int, step: int) -> None:
        """Draw what is random in a step: the same for all its micro-batches and ranks."""

    def told(self, batch: Batch) -> AbstractContextManager[object]:
        """Let the model know the tasks of the micro-batch that it is run on inside."""

    def again(self) -> AbstractContextManager[object]:
        """Let the model know, in a later pass, what it is told now."""

    def summary(self, state: Mapping[str, Tensor]) -> Mapping[str, Any]:
        """Describe what was learnt about the tasks, for the card, from whole parameters by name."""


class Unrouted:
    """For models that are the same for all tasks."""

    def begin_step(self, seed: int, step: int) -> None:
        """Draw nothing."""

    def told(self, batch: Batch) -> AbstractContextManager[object]:
        """Tell nothing."""
        return nullcontext()

    def again(self) -> AbstractContextManager[object]:
        """Tell nothing."""
        return nullcontext()

    def summary(self, state: Mapping[str, Tensor]) -> Mapping[str, Any]:
        """Give nothing."""
        return {}
