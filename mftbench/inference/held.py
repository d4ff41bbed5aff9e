"""The one model that an engine holds, and how it is exchanged for the next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from mftbench.inference.attention import group_queries
from mftbench.inference.vocabulary import Vocabulary, cache_bytes, vocabulary
from mftbench.models.loading import attach_adapter, load_model
from mftbench.models.memory import free_memory
from mftbench.stages import ModelRef


@dataclass(frozen=True)
class Held:
    """A loaded model with its tokenizer."""

    ref: ModelRef
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Return what the model's tokens mean."""
        ends = getattr(self.model.generation_config, "eos_token_id", None)
        return vocabulary(self.ref.base, self.tokenizer, self.model.config, ends)

    @cached_property
    def cache_bytes(self) -> int:
        """Return how much memory one token's keys and values take."""
        return cache_bytes(self.model.config, self.model.dtype.itemsize)


class Slot:
    """Room for one model in memory. Adapters of one base are exchanged without loading it again."""

    def __init__(self, dtype: str, device: str, quantization: str = "") -> None:
        self._dtype = dtype
        self._device = device
        self._quantization = quantization
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
        free_memory()

    def _load(self, ref: ModelRef) -> Held:
        model, tokenizer = load_model(ref, self._dtype, self._quantization)
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
        model = attach_adapter(model, ref.trained, ref.base)
    return Held(ref, model, held.tokenizer)
