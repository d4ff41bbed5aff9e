"""What the host knows of a base model without its weights: configuration and vocabulary."""

from __future__ import annotations

from functools import cached_property
from typing import Any, cast

from transformers import AutoConfig, PreTrainedConfig

from mftbench.inference.vocabulary import Vocabulary, cache_bytes, vocabulary
from mftbench.models.loading import load_tokenizer, loading
from mftbench.models.location import locate


class Base:
    """A base model by name; read when first needed."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def config(self) -> PreTrainedConfig:
        """Return the model's configuration.

        Raises UsageError or EngineError if it cannot be had.
        """
        location = locate(self._name)
        with loading(self._name):
            config: PreTrainedConfig = AutoConfig.from_pretrained(
                location.path, **location.loading_options
            )
        return config

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Return what its tokens mean."""
        return vocabulary(self._name, load_tokenizer(self._name), self.config, self._ends())

    def token_bytes(self, dtype: str) -> int:
        """Return how much memory the keys and values of one token take."""
        return cache_bytes(self.config, {"float32": 4, "bfloat16": 2}[dtype])

    def _ends(self) -> Any:
        from transformers import GenerationConfig

        location, untyped = locate(self._name), cast("Any", GenerationConfig)
        try:
            return untyped.from_pretrained(location.path, revision=location.revision).eos_token_id
        except OSError:  # many models have none
            return getattr(self.config, "eos_token_id", None)
