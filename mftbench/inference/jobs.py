"""What several models have to complete in one pass of an engine, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from mftbench.contract import JsonValue
from mftbench.errors import EngineError, MftbenchError, PluginError
from mftbench.inference.engine import Completion, Engine, Request
from mftbench.stages import ModelRef, Sampling


@dataclass(frozen=True)
class Job:
    """One model's requests, and the (problem, sample) of those that are done already."""

    model: ModelRef
    requests: tuple[Request, ...]
    sampling: Sampling
    done: frozenset[tuple[str, int]] = frozenset()

    @property
    def missing(self) -> list[Request]:
        """Return the requests that are not done."""
        return [each for each in self.requests if (each.problem, each.sample) not in self.done]


Made: TypeAlias = tuple[int, Completion | MftbenchError]
"""The number of a job, with a completion of it, or with the error that ended it."""


@runtime_checkable
class ManyModels(Protocol):
    """What an engine can do that serves several models of one base at the same time."""

    def generate_all(self, jobs: Sequence[Job]) -> Iterator[Made]:
        """Yield the missing completions of all jobs in any order; an error ends its job alone."""
        ...


@runtime_checkable
class Serves(Protocol):
    """An engine that says how it serves a model: merged or not, in which precision."""

    def served(self, model: ModelRef) -> Mapping[str, JsonValue]:
        """Describe how the model is evaluated."""
        ...


def served(engine: Engine, model: ModelRef) -> dict[str, JsonValue]:
    """Describe how an engine evaluates a model, as far as it tells."""
    told = engine.served(model) if isinstance(engine, Serves) else {}
    return {"engine": engine.name, "version": engine.version, **told}


def generate_all(engine: Engine, jobs: Sequence[Job]) -> Iterator[Made]:
    """Yield what an engine makes of all jobs: at the same time if it can, else one by one.

    An EngineError or PluginError ends its own job; any other error ends all.
    """
    if isinstance(engine, ManyModels):
        yield from engine.generate_all(jobs)
        return
    for number, job in enumerate(jobs):
        try:
            for completion in engine.generate(job.model, job.requests, job.sampling, job.done):
                yield number, completion
        except (EngineError, PluginError) as error:
            yield number, error
