"""What an engine can tell of how it made a completion: its tokens, and how likely they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from mftbench.inference.engine import Completion, Request
from mftbench.stages import ModelRef, Sampling


@dataclass(frozen=True)
class Trace:
    """A completion with its tokens, the one that ended it included, and their log-probabilities.

    The log-probabilities are natural ones, of the model's distribution before temperature.
    """

    completion: Completion
    ids: tuple[int, ...]
    logprobs: tuple[float, ...]


@runtime_checkable
class Traces(Protocol):
    """An engine that can trace."""

    def trace(
        self, model: ModelRef, requests: Sequence[Request], sampling: Sampling
    ) -> Iterator[Trace]:
        """Yield a trace for each request, in any order."""
        ...
