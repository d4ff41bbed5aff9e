"""The engine protocol: a model and rendered prompts in, completions out as they finish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from mftbench.stages import ModelRef, Sampling


@dataclass(frozen=True)
class Request:
    """One completion to make. ``prompt`` is fully rendered; ``seed`` belongs to this item alone."""

    problem: str
    sample: int
    prompt: str
    stop: tuple[str, ...]
    max_new_tokens: int
    seed: int


@dataclass(frozen=True)
class Completion:
    """One completion, cut before the stop sequence that ended it. ``tokens`` counts new tokens.

    "too_long" is the verdict on a prompt that fills the model's context: nothing was generated.
    """

    problem: str
    sample: int
    text: str
    tokens: int
    finish: Literal["stop", "length", "too_long"]


class Engine(Protocol):
    """Generate with any number of models. The same request gives the same completion every time,
    also when ``done`` lists some of its neighbours: resuming never changes what is still to make.
    """

    name: str
    version: str

    def generate(
        self,
        model: ModelRef,
        requests: Sequence[Request],
        sampling: Sampling,
        done: frozenset[tuple[str, int]] = frozenset(),
    ) -> Iterator[Completion]:
        """Yield a completion for each request that is not in ``done``, in any order.

        Raises EngineError if the model cannot be loaded or run.
        """
        ...

    def close(self) -> None:
        """Free what the engine holds."""
