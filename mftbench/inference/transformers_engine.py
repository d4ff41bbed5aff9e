"""The transformers engine: any causal language model, on the CPU or one GPU, in fixed batches."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import transformers

from mftbench.errors import EngineError, UsageError
from mftbench.inference import choice
from mftbench.inference.batches import Prompt, fit, merge_equal, partition
from mftbench.inference.decoding import Batch, Ending, Row, decode
from mftbench.inference.engine import Completion, Request
from mftbench.inference.held import Held, Slot
from mftbench.stages import ModelRef, Sampling

_log = logging.getLogger(__name__)


class TransformersEngine:
    """Generate with transformers, one model in memory at a time.

    ``dtype`` is a torch name ("float32", "bfloat16"); ``device`` a torch device, by default the
    first GPU if there is one, else the CPU. A prompt that does not leave room for its answer in the
    model's context loses its beginning, and a warning is logged.
    """

    name = "transformers"
    version = transformers.__version__

    def __init__(self, dtype: str = "float32", device: str | None = None) -> None:
        self._slot = Slot(dtype, device or ("cuda" if torch.cuda.is_available() else "cpu"))

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
        for batch in partition(_prompts(held, requests, sampling), sampling.batch):
            if missing.isdisjoint(_key(request) for prompt in batch for request in prompt.requests):
                continue
            with _naming(model, len(batch)):
                yield from _completions(held, batch, sampling, missing)

    def close(self) -> None:
        """Free the model that is held."""
        self._slot.clear()


def _key(request: Request) -> tuple[str, int]:
    return request.problem, request.sample


def _check(requests: Sequence[Request], sampling: Sampling) -> None:
    for name, value, good, remedy in (
        ("batch", sampling.batch, sampling.batch >= 1, "at least 1"),
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


def _prompts(held: Held, requests: Sequence[Request], sampling: Sampling) -> list[Prompt]:
    groups = merge_equal(requests, greedy=sampling.temperature == 0)
    texts = [group[0].prompt for group in groups]
    # Rendered prompts hold their control tokens as text; none is added here.
    encoded: list[list[int]] = held.tokenizer(
        texts, add_special_tokens=False, verbose=False
    ).input_ids
    prompts = [
        Prompt(*fit(ids or _start(held), group[0].max_new_tokens, held.context), group)
        for ids, group in zip(encoded, groups, strict=True)
    ]
    cut = sum(len(prompt.ids) < len(ids) for prompt, ids in zip(prompts, encoded, strict=True))
    if cut:
        _log.warning(
            "%d of %d prompts lost their beginning: the context of %s holds %s tokens",
            *(cut, len(prompts), held.ref.base, held.context),
        )
    return prompts


def _start(held: Held) -> list[int]:
    """Return what an empty prompt becomes: a model cannot run on no token at all."""
    start = held.tokenizer.bos_token_id
    return [held.tokenizer.eos_token_id if start is None else start]


def _completions(
    held: Held, batch: Sequence[Prompt], sampling: Sampling, missing: set[tuple[str, int]]
) -> Iterator[Completion]:
    stops = {sequence for prompt in batch for sequence in prompt.stop}
    ending = Ending(held.detokenizer, held.special, sorted(stops))
    rows = [Row(prompt) for prompt in batch]
    steps = max(prompt.limit for prompt in batch)
    noise = choice.noise([prompt.seed for prompt in batch], steps)
    for row in decode(Batch(held.model, batch), rows, ending, choice.choose_by(sampling), noise):
        for request in row.prompt.requests:
            if _key(request) in missing:
                yield Completion(*_key(request), row.text, len(row.ids), row.finish)


@contextmanager
def _naming(model: ModelRef, rows: int) -> Iterator[None]:
    """Say which model failed on how large a batch; what torch raises is mostly a RuntimeError."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).strip().partition("\n")[0]
        name = model.trained or model.base
        raise EngineError(
            f"generating with {name} failed on a batch of {rows} ({reason}); "
            "if memory ran out, lower sampling.batch"
        ) from error
