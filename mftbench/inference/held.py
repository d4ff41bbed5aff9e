"""The one model that an engine holds, and how it is exchanged for the next."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from mftbench.inference.attention import group_queries
from mftbench.inference.text import Detokenizer
from mftbench.models.loading import attach_adapter, load_model
from mftbench.stages import ModelRef


@dataclass(frozen=True)
class Held:
    """A loaded model with its tokenizer."""

    ref: ModelRef
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @property
    def context(self) -> int | None:
        """Return how many tokens the model was made for, prompt and completion together."""
        length: int | None = getattr(
            self.model.config.get_text_config(), "max_position_embeddings", None
        )
        return length

    @cached_property
    def detokenizer(self) -> Detokenizer:
        """Return what turns the model's tokens into text."""
        return Detokenizer(self.tokenizer)

    @cached_property
    def special(self) -> frozenset[int]:
        """Return the tokens that end a completion: end of text, and every other control token.

        A model that opens a new turn or a new file has finished its answer, whichever of its
        control tokens it says so with.
        """
        added = self.tokenizer.added_tokens_decoder
        special = {token for token, value in added.items() if value.special}
        ends: Any = getattr(self.model.generation_config, "eos_token_id", None)
        special.update(ends if isinstance(ends, list) else () if ends is None else (ends,))
        return frozenset(special | set(self.tokenizer.all_special_ids))


class Slot:
    """Room for one model in memory. Adapters of one base are exchanged without loading it again."""

    def __init__(self, dtype: str, device: str) -> None:
        self._dtype = dtype
        self._device = device
        self._held: Held | None = None

    def get(self, ref: ModelRef) -> Held:
        """Return the model, loaded if it is not the one that is held.

        Raises UsageError or EngineError as ``load_model`` does.
        """
        held, self._held = self._held, None  # nothing is held if loading fails half-way
        if held is None or held.ref != ref:
            if held is not None and _same_base(held.ref, ref):
                held = _exchange_adapter(held, ref)
            else:
                del held
                self.clear()
                held = self._load(ref)
        self._held = held
        return held

    def clear(self) -> None:
        """Free the memory."""
        self._held = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _load(self, ref: ModelRef) -> Held:
        model, tokenizer = load_model(ref, self._dtype)
        torch.nn.Module.to(model, self._device)
        group_queries(model)
        return Held(ref, model, tokenizer)


def _same_base(one: ModelRef, other: ModelRef) -> bool:
    bases = [ref.base for ref in (one, other) if ref.trained is None or ref.adapter]
    return len(bases) == 2 and bases[0] == bases[1]


def _exchange_adapter(held: Held, ref: ModelRef) -> Held:
    wrapped: Any = held.model
    model: PreTrainedModel = wrapped.unload() if held.ref.adapter else wrapped
    if ref.trained is not None:
        model = attach_adapter(model, ref.trained)
    return Held(ref, model, held.tokenizer)
