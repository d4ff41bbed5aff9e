"""The transformers engine: any causal language model, on the CPU or one GPU, in fixed batches."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Literal

import torch
import transformers

from mftbench.contract import JsonValue
from mftbench.errors import EngineError, UsageError
from mftbench.inference import choice
from mftbench.inference.batches import Prompt, partition
from mftbench.inference.decoding import Batch, Ending, Row, decode
from mftbench.inference.engine import Completion, Request
from mftbench.inference.held import Held, Slot
from mftbench.inference.trace import Trace
from mftbench.models.memory import free_memory, out_of_memory
from mftbench.stages import ModelRef, Sampling

_MOST = 256
"""Rows of a batch whose size is left to the engine: more than that gains nothing."""

_log = logging.getLogger(__name__)


class TransformersEngine:
    """Generate with transformers, one model in memory at a time.

    ``dtype`` is a torch name ("float32", "bfloat16"); ``device`` a torch device, by default the
    first GPU if there is one, else the CPU. ``kv_gib`` bounds the memory of keys and values, and so
    the rows of a batch. ``quantization`` "nf4" holds the base as QLoRA training does.
    """

    name = "transformers"
    version = transformers.__version__

    def __init__(
        self,
        dtype: str = "float32",
        device: str | None = None,
        kv_gib: float = 4.0,
        quantization: Literal["", "nf4"] = "",
    ) -> None:
        if kv_gib <= 0:
            raise UsageError(f"kv_gib of the transformers engine is {kv_gib}; give more than 0")
        chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._slot = Slot(dtype, chosen, quantization)
        self._kv_bytes = int(kv_gib * 2**30)
        self._held_as = {"dtype": dtype, "quantization": quantization}

    def served(self, model: ModelRef) -> dict[str, JsonValue]:
        """Say how a model is evaluated."""
        return {**self._held_as, "adapter": "attached" if model.adapter else "none"}

    def generate(
        self,
        model: ModelRef,
        requests: Sequence[Request],
        sampling: Sampling,
        done: frozenset[tuple[str, int]] = frozenset(),
    ) -> Iterator[Completion]:
        """Yield completions as their rows end; see ``Engine.generate``."""
        missing = {(request.problem, request.sample) for request in requests} - done
        if not missing:
            return
        _check(requests, sampling)
        held = self._slot.get(model)
        prompts, refused = held.vocabulary.read(requests, greedy=sampling.temperature == 0)
        yield from (each for each in refused if (each.problem, each.sample) in missing)
        room = self._kv_bytes // held.cache_bytes
        for batch in partition(prompts, sampling.batch or _MOST, room):
            for completion in _completed(held, batch, sampling, missing):
                missing.discard((completion.problem, completion.sample))
                yield completion

    def trace(
        self, model: ModelRef, requests: Sequence[Request], sampling: Sampling
    ) -> Iterator[Trace]:
        """Yield completions with their tokens, as ``generate`` makes them.

        The log-probabilities come from one pass over prompt and answer, row by row.
        """
        _check(requests, sampling)
        held = self._slot.get(model)
        prompts, refused = held.vocabulary.read(requests, greedy=sampling.temperature == 0)
        yield from (Trace(completion, (), ()) for completion in refused)
        room = self._kv_bytes // held.cache_bytes
        for batch in partition(prompts, sampling.batch or _MOST, room):
            for row in _rows(held, batch, sampling):
                likely = _logprobs(held, row)
                for completion in held.vocabulary.write(row.prompt, row.ids):
                    yield Trace(completion, tuple(row.ids), likely)

    def close(self) -> None:
        """Free the model that is held."""
        self._slot.clear()


def _check(requests: Sequence[Request], sampling: Sampling) -> None:
    for name, value, good, remedy in (
        ("batch", sampling.batch, sampling.batch >= 0, "rows, or 0 for what memory holds"),
        ("temperature", sampling.temperature, sampling.temperature >= 0, "0 or more"),
        ("top_p", sampling.top_p, 0 < sampling.top_p <= 1, "more than 0 and at most 1"),
    ):
        if not good:
            raise UsageError(f"sampling.{name} is {value}; give {remedy}")
    for request in requests:
        if request.max_new_tokens < 1:
            raise UsageError(
                f"max_new_tokens of {request.problem} is {request.max_new_tokens}; give at least 1"
            )


def _completed(
    held: Held, batch: Sequence[Prompt], sampling: Sampling, missing: set[tuple[str, int]]
) -> Iterator[Completion]:
    """Yield what is missing of a batch; a batch that memory does not hold is made in halves.

    ``missing`` must lose what is yielded, so that nothing comes twice. Raises EngineError if a
    single row fails, or a batch for another reason than memory.
    """
    if missing.isdisjoint(_key(request) for prompt in batch for request in prompt.requests):
        return
    try:
        for row in _rows(held, batch, sampling):
            for made in held.vocabulary.write(row.prompt, row.ids):
                if (made.problem, made.sample) in missing:
                    yield made
        return
    except RuntimeError as error:
        reason = str(error).strip().partition("\n")[0]
        if len(batch) == 1 or not out_of_memory(error):
            name = held.ref.trained or held.ref.base
            raise EngineError(
                f"generating with {name} failed on a batch of {len(batch)}: {reason}"
            ) from error
    _log.warning("memory does not hold a batch of %d rows; it is made in halves", len(batch))
    free_memory()
    middle = len(batch) // 2
    for half in (batch[:middle], batch[middle:]):
        yield from _completed(held, half, sampling, missing)


def _rows(held: Held, batch: Sequence[Prompt], sampling: Sampling) -> Iterator[Row]:
    stops = {sequence for prompt in batch for sequence in prompt.stop}
    ending = Ending(held.vocabulary.detokenizer, held.vocabulary.ends, sorted(stops))
    steps = max(prompt.limit for prompt in batch)
    noise = choice.noise([prompt.seed for prompt in batch], steps)
    rows = [Row(prompt) for prompt in batch]
    yield from decode(Batch(held.model, batch), rows, ending, choice.choose_by(sampling), noise)


@torch.inference_mode()
def _logprobs(held: Held, row: Row) -> tuple[float, ...]:
    ids = torch.tensor([[*row.prompt.ids, *row.ids]], device=held.model.device)
    logits = held.model(ids, use_cache=False).logits[0, len(row.prompt.ids) - 1 : -1]
    chosen = logits.float().log_softmax(dim=-1).gather(-1, ids[0, len(row.prompt.ids) :, None])
    return tuple(chosen[:, 0].tolist())


def _key(request: Request) -> tuple[str, int]:
    return request.problem, request.sample
