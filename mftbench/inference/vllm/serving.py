"""How vLLM serves a model: as the base, as an adapter beside it, or as weights of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mftbench.models.fit import adapter_config
from mftbench.stages import ModelRef

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The adapter ranks that vLLM makes room for."""

_PLAIN_STARTS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")
"""Initialisations by name that leave the base as it is; others change its weights."""


@dataclass(frozen=True)
class Served:
    """How one model is served, and why not as it was trained, where that is so.

    ``rank`` is the adapter's, rounded up to one that vLLM has.
    """

    how: Literal["base", "adapter", "merged", "full"]
    reason: str = ""
    rank: int = 0

    @property
    def own_weights(self) -> bool:
        """Say whether the model needs weights of its own in the engine."""
        return self.how in ("merged", "full")


def serving(ref: ModelRef) -> Served:
    """Say how a model is served.

    Raises EngineError if the adapter's folder holds no adapter.
    """
    if ref.trained is None:
        return Served("base")
    if not ref.adapter:
        return Served("full", "a whole model")
    config = adapter_config(ref.trained)
    ranks = [int(config.get("r", 0)), *map(int, (config.get("rank_pattern") or {}).values())]
    reasons = [*_obstacles(config), *(["rank above 512"] if max(ranks) > RANKS[-1] else [])]
    if reasons:
        return Served("merged", f"vLLM does not serve {', '.join(reasons)}")
    return Served("adapter", rank=next(rank for rank in RANKS if rank >= max(ranks)))


def _obstacles(config: Mapping[str, Any]) -> list[str]:
    """Name what vLLM 0.32 refuses in an adapter, or passes over (vllm/lora/peft_helper.py)."""
    init = config.get("init_lora_weights", True)
    found = {
        f"peft type {config.get('peft_type')}": config.get("peft_type", "LORA") != "LORA",
        "DoRA": config.get("use_dora"),
        f"bias {config.get('bias')!r}": config.get("bias", "none") != "none",
        "lora_bias": config.get("lora_bias"),
        "modules_to_save": config.get("modules_to_save"),
        f"initialisation {init!r}": isinstance(init, str) and init.lower() not in _PLAIN_STARTS,
        "layer_replication": config.get("layer_replication"),
        "aLoRA": config.get("alora_invocation_tokens"),
        "QALoRA": config.get("use_qalora"),
        "BD-LoRA": config.get("use_bdlora"),
        "trained tokens": config.get("trainable_token_indices"),
    }
    return [name for name, there in found.items() if there]
