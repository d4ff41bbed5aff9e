"""The vLLM engine: every model of a base, all tasks and samples, from one start of one engine."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from mftbench.contract import JsonValue
from mftbench.errors import EngineError, MftbenchError, UsageError
from mftbench.inference.engine import Completion, Request
from mftbench.inference.jobs import Job, Made
from mftbench.inference.trace import Trace
from mftbench.inference.vllm.base import Base
from mftbench.inference.vllm.process import WorkerDied, vllm_version
from mftbench.inference.vllm.serving import serving
from mftbench.inference.vllm.session import Answer, Session
from mftbench.inference.vllm.settings import Ask, Room, room_for
from mftbench.inference.vllm.weights import Exports
from mftbench.models.export import require_adapter
from mftbench.stages import ModelRef, Sampling

_DEATHS = 3
"""So many deaths in a row, with nothing finished between them, end what is asked."""

_log = logging.getLogger(__name__)

_Answered = tuple[Ask, Answer] | tuple[Ask, MftbenchError]


_PRODUCTS = 2
"""Counts the ways in which adapters were multiplied: what one made is not mixed with another's."""


class VllmEngine:
    """Generate with vLLM in a process of its own, in this Python environment or in another.

    ``python`` is the interpreter of an environment that has vLLM; nothing of ours need be in it.
    ``kv_gib`` bounds the cache on the CPU. ``adapters_at_once`` is how many adapters one batch may
    mix; ``tensor_parallel`` over how many GPUs a model is divided. Adapters that vLLM does not
    serve are merged, and whole models are loaded into the running engine; both are checked against
    what transformers computes. An engine that dies is opened again and goes on with what is
    missing.

    Raises UsageError if ``python`` cannot be run or has no vLLM.
    """

    name = "vllm"

    def __init__(
        self,
        dtype: str = "float32",
        python: str = "",
        kv_gib: float = 4.0,
        adapters_at_once: int = 4,
        tensor_parallel: int = 1,
    ) -> None:
        if tensor_parallel < 1:
            raise UsageError(f"tensor_parallel of vLLM is {tensor_parallel}; give at least 1")
        interpreter = python or sys.executable
        self.version = f"{vllm_version(interpreter)}+products{_PRODUCTS}"
        self._dtype = dtype
        self._adapters_at_once = adapters_at_once
        self._session = Session(interpreter, int(kv_gib * 2**30), tensor_parallel)
        self._exports = Exports(dtype)
        self._bases: dict[str, Base] = {}

    @property
    def starts(self) -> int:
        """Count the engines that were opened."""
        return self._session.starts

    @property
    def pid(self) -> int | None:
        """Give the process of the engine, while one runs."""
        return self._session.pid

    def served(self, model: ModelRef) -> dict[str, JsonValue]:
        """Say how a model is evaluated: with its adapter beside the base, merged, or whole."""
        served = serving(model)
        return {"dtype": self._dtype, "weights": served.how, "reason": served.reason}

    def generate(
        self,
        model: ModelRef,
        requests: Sequence[Request],
        sampling: Sampling,
        done: frozenset[tuple[str, int]] = frozenset(),
    ) -> Iterator[Completion]:
        """Yield completions as they finish; see ``Engine.generate``."""
        for _, made in self.generate_all([Job(model, tuple(requests), sampling, done)]):
            if isinstance(made, MftbenchError):
                raise made
            yield made

    def generate_all(self, jobs: Sequence[Job]) -> Iterator[Made]:
        """Yield the completions of all jobs as they finish; an error ends its job alone."""
        asks: list[Ask] = []
        for number, job in enumerate(jobs):
            try:
                found, refused = self._asks(number, job)
            except EngineError as error:
                yield number, error
                continue
            asks += found
            yield from ((number, completion) for completion in refused)
        failed: set[int] = set()
        for ask, answer in self._answered(asks, logprobs=False):
            if isinstance(answer, Answer):
                for completion in self._base(ask.ref).vocabulary.write(ask.prompt, answer.ids):
                    yield ask.job, completion
            elif ask.job not in failed:
                failed.add(ask.job)
                yield ask.job, answer

    def trace(
        self, model: ModelRef, requests: Sequence[Request], sampling: Sampling
    ) -> Iterator[Trace]:
        """Yield completions with their tokens; the log-probabilities are vLLM's own."""
        asks, refused = self._asks(0, Job(model, tuple(requests), sampling))
        yield from (Trace(completion, (), ()) for completion in refused)
        for ask, answer in self._answered(asks, logprobs=True):
            if not isinstance(answer, Answer):
                raise answer
            for completion in self._base(ask.ref).vocabulary.write(ask.prompt, answer.ids):
                yield Trace(completion, answer.ids, answer.logprobs)

    def close(self) -> None:
        """End the engine's process and remove what was exported."""
        self._session.close()
        self._exports.close()

    def _base(self, ref: ModelRef) -> Base:
        if ref.base not in self._bases:
            self._bases[ref.base] = Base(ref.base)
        return self._bases[ref.base]

    def _asks(self, number: int, job: Job) -> tuple[list[Ask], list[Completion]]:
        missing = job.missing
        if not missing:
            return [], []
        base, served = self._base(job.model), serving(job.model)
        if job.model.adapter:
            require_adapter(job.model, base.config)
        prompts, refused = base.vocabulary.read(missing, greedy=job.sampling.temperature == 0)
        return [Ask(number, job.model, served, each, job.sampling) for each in prompts], refused

    def _answered(self, asks: Sequence[Ask], *, logprobs: bool) -> Iterator[_Answered]:
        """Answer base by base; within one the base first, then its adapters, then whole models."""
        for _, of_base in groupby(sorted(asks, key=_base_name), key=_base_name):
            group = list(of_base)
            room = room_for(group, self._dtype, self._adapters_at_once)
            exchanged = any(ask.served.own_weights for ask in group)
            for ref, part in _parts(group):
                yield from self._with_weights(ref, part, room, exchanged, logprobs)
                if ref.trained is not None:
                    self._exports.drop(ref)

    def _with_weights(
        self, ref: ModelRef, asks: Sequence[Ask], room: Room, exchanged: bool, logprobs: bool
    ) -> Iterator[_Answered]:
        base = self._base(ref)
        try:
            weights = self._exports.weights(ref, asks[0].prompt.ids[:32], exchanged=exchanged)
        except (EngineError, UsageError) as error:
            yield from ((ask, error) for ask in asks)
            return
        waiting = {str(number): ask for number, ask in enumerate(asks)}
        deaths = 0
        while waiting:
            try:
                plain = asks[0].served.how != "adapter"
                self._session.ready(weights, room, base.token_bytes(self._dtype), plain=plain)
                ends = sorted(base.vocabulary.ends)
                for answer in self._session.answers(waiting, ends, logprobs=logprobs):
                    deaths = 0
                    yield waiting.pop(answer.name), answer
                if waiting:  # it said that it was done: asking on would not end
                    raise WorkerDied("vLLM left prompts unanswered")
            except WorkerDied as death:
                deaths += 1
                _log.warning("%s; %d prompts are still to do", death, len(waiting))
                if deaths == _DEATHS:
                    gone = EngineError(f"{death}, {deaths} times without finishing a prompt")
                    yield from ((ask, gone) for ask in waiting.values())
                    waiting = {}
            except EngineError as error:
                yield from ((ask, error) for ask in waiting.values())
                waiting = {}
            finally:
                if waiting or deaths:  # it died, or nobody wants the rest: what it holds is stale
                    self._session.close()


def _base_name(ask: Ask) -> str:
    return ask.ref.base


def _parts(asks: Iterable[Ask]) -> list[tuple[ModelRef, list[Ask]]]:
    """Divide into parts that run together, each with the model whose weights it needs.

    All adapters of the base are one part; the base itself is a part of its own, and comes first.
    """
    parts: dict[tuple[str, ModelRef], list[Ask]] = {}
    for ask in asks:
        ref = ask.ref if ask.served.own_weights else ModelRef(ask.ref.base)
        parts.setdefault((ask.served.how, ref), []).append(ask)
    order = ("base", "adapter", "merged", "full")
    ordered = sorted(parts.items(), key=lambda part: order.index(part[0][0]))
    return [(ref, part) for (_, ref), part in ordered]
