"""What a model's tokens mean to every engine: prompts to tokens, and tokens to completions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from mftbench.errors import EngineError
from mftbench.inference.batches import Prompt, merge_equal
from mftbench.inference.engine import Completion, Request
from mftbench.inference.text import Detokenizer, cut


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer with the model's limits. ``name`` is the model's, for messages.

    ``context`` is how many tokens the model was made for, prompt and completion together; ``size``
    how many different ones it knows. A completion ends at one of ``ends``.
    """

    name: str
    tokenizer: PreTrainedTokenizerBase
    context: int | None
    size: int
    ends: frozenset[int]

    @cached_property
    def detokenizer(self) -> Detokenizer:
        """Return what turns tokens into text."""
        return Detokenizer(self.tokenizer)

    def read(
        self, requests: Sequence[Request], *, greedy: bool
    ) -> tuple[list[Prompt], list[Completion]]:
        """Turn requests into prompts; also return the verdicts on those that do not fit.

        A prompt that leaves no room for a single token is not cut: its completion is empty and
        finishes as "too_long". An answer that would not fit is limited to the room there is.

        Raises EngineError if a prompt holds a token that the model does not know.
        """
        groups = merge_equal(requests, greedy=greedy)
        # Rendered prompts hold their control tokens as text; none is added here.
        encoded: list[list[int]] = self.tokenizer(
            [group[0].prompt for group in groups], add_special_tokens=False, verbose=False
        ).input_ids
        prompts, refused = [], []
        for ids, group in zip(encoded, groups, strict=True):
            self._check(ids, group[0])
            tokens = tuple(ids) or self._start()
            room = len(tokens) + group[0].max_new_tokens if self.context is None else self.context
            if len(tokens) < room:
                limit = min(group[0].max_new_tokens, room - len(tokens))
                prompts.append(Prompt(tokens, limit, group))
            else:
                refused += [_too_long(each) for each in group]
        return prompts, refused

    def write(self, prompt: Prompt, ids: Sequence[int]) -> list[Completion]:
        """Turn new tokens, up to and including what ended them, into the prompt's completions."""
        special = bool(ids) and ids[-1] in self.ends
        text, stopped = cut(self.detokenizer.text(ids[:-1] if special else ids), prompt.stop)
        finish: Any = "stop" if special or stopped else "length"
        return [
            Completion(each.problem, each.sample, text, len(ids), finish)
            for each in prompt.requests
        ]

    def _check(self, ids: Iterable[int], request: Request) -> None:
        highest = max(ids, default=0)
        if highest >= self.size:
            raise EngineError(
                f"the tokenizer of {self.name} gives token {highest} in {request.problem}, but the "
                f"model knows {self.size}: they do not belong together"
            )

    def _start(self) -> tuple[int, ...]:
        """Return what an empty prompt becomes: a model cannot run on no token at all."""
        start = self.tokenizer.bos_token_id
        chosen: Any = self.tokenizer.eos_token_id if start is None else start
        return (chosen,)


def _too_long(request: Request) -> Completion:
    return Completion(request.problem, request.sample, "", 0, "too_long")


def vocabulary(
    name: str, tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, ends: Any = None
) -> Vocabulary:
    """Put a model's tokenizer and limits together. ``ends`` are its configuration's end tokens.

    Every control token ends a completion: a model that opens a new turn or a new file has finished
    its answer, whichever of its control tokens it says so with.
    """
    added = tokenizer.added_tokens_decoder
    special = {token for token, value in added.items() if value.special}
    special.update(ends if isinstance(ends, list) else () if ends is None else (ends,))
    text: Any = config.get_text_config()
    return Vocabulary(
        name=name,
        tokenizer=tokenizer,
        context=getattr(text, "max_position_embeddings", None),
        size=text.vocab_size,
        ends=frozenset(special | set(tokenizer.all_special_ids)),
    )


def cache_bytes(config: PreTrainedConfig, dtype_bytes: int) -> int:
    """Return how much memory the keys and values of one token take, all layers together."""
    text: Any = config.get_text_config()
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return 2 * int(text.num_hidden_layers) * int(heads) * int(size) * dtype_bytes
