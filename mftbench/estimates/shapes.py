"""The shape of a model, and from it the count of its parameters, without loading any weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Shape:
    """A decoder's dimensions. ``gated`` feed-forwards have three matrices, others two.

    ``head`` is the width of one head, 0 where heads divide ``hidden``.
    """

    layers: int
    hidden: int
    inner: int
    heads: int
    kv_heads: int
    vocabulary: int
    gated: bool = True
    tied: bool = False
    head: int = 0

    @property
    def width(self) -> int:
        """Give the width of the queries of one layer."""
        return self.head * self.heads or self.hidden

    @property
    def kv_width(self) -> int:
        """Give the width of the keys, and of the values, of one layer."""
        return self.width // self.heads * self.kv_heads

    @property
    def parameters(self) -> int:
        """Count all weights but norms and biases, which are less than a thousandth."""
        attention = 2 * self.hidden * (self.width + self.kv_width)
        feed_forward = (3 if self.gated else 2) * self.hidden * self.inner
        embeddings = (1 if self.tied else 2) * self.vocabulary * self.hidden
        return self.layers * (attention + feed_forward) + embeddings

    def adapter_parameters(self, rank: int) -> int:
        """Count LoRA's weights on all linear layers of the decoder (``all-linear``)."""
        attention = 2 * (self.hidden + self.width) + 2 * (self.hidden + self.kv_width)
        feed_forward = (3 if self.gated else 2) * (self.hidden + self.inner)
        return rank * self.layers * (attention + feed_forward)


KNOWN: Mapping[str, Shape] = {
    "smollm2": Shape(30, 576, 1536, 9, 3, 49152, tied=True),
    "codellama/CodeLlama-7b-Python-hf": Shape(32, 4096, 11008, 32, 32, 32000),
    "codellama/CodeLlama-13b-Python-hf": Shape(40, 5120, 13824, 40, 40, 32000),
    "codellama/CodeLlama-34b-Python-hf": Shape(48, 8192, 22016, 64, 8, 32000),
    "bigcode/starcoder": Shape(40, 6144, 24576, 48, 1, 49152, gated=False, tied=True),
    "Qwen/Qwen-14B": Shape(40, 5120, 13696, 40, 40, 152064),
    "baichuan-inc/Baichuan2-13B-Base": Shape(40, 5120, 13696, 40, 40, 125696),
}
"""Published configurations, for models that are not on this machine."""


def shape_of(name: str) -> tuple[Shape, str] | None:
    """Give a model's shape and where it is from; None if neither it nor its configuration is known.

    ``name`` is a model as a study names it: built in, a folder, or a hub id with ``@revision``.
    """
    config = _config(name)
    if config is not None:
        read = _read(config)
        return (read, "the model's config.json") if read else None
    plain = name.partition("@")[0]
    return (KNOWN[plain], "its published configuration") if plain in KNOWN else None


def _config(name: str) -> Mapping[str, Any] | None:
    from mftbench.errors import UsageError
    from mftbench.models.location import BUILT_IN

    try:
        folder = Path(BUILT_IN[name]().path if name in BUILT_IN else name).expanduser()
    except UsageError:
        return None
    file = folder / "config.json"
    found: Mapping[str, Any] | None = json.loads(file.read_text()) if file.is_file() else None
    return found


_TIED = ("gpt2", "gpt_bigcode")  # whose configurations leave out what is the default

_NAMES = {
    "layers": ("num_hidden_layers", "n_layer"),
    "hidden": ("hidden_size", "n_embd"),
    "heads": ("num_attention_heads", "n_head"),
    "inner": ("intermediate_size", "n_inner"),
    "kv_heads": ("num_key_value_heads", "num_kv_heads"),
    "vocabulary": ("vocab_size",),
}
"""What configurations call a dimension: Llama's descendants, and GPT-2's."""


def _read(config: Mapping[str, Any]) -> Shape | None:
    """Read a configuration; None where it does not say what it must."""
    text = {**config, **config.get("text_config", {})}
    found = {
        part: next((text[name] for name in names if text.get(name)), 0)
        for part, names in _NAMES.items()
    }
    if not all(found[part] for part in ("layers", "hidden", "heads", "vocabulary")):
        return None
    kv_heads = 1 if text.get("multi_query") else found["kv_heads"] or found["heads"]
    return Shape(
        **found | {"inner": found["inner"] or 4 * found["hidden"], "kv_heads": kv_heads},
        gated=text.get("model_type") not in ("gpt2", "gpt_bigcode", "gpt_neox", "starcoder2"),
        tied=bool(text.get("tie_word_embeddings", text.get("model_type") in _TIED)),
        head=text.get("head_dim") or 0,
    )
