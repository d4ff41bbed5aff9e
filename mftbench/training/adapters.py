"""Which parameters are trained: all of them, or low-rank adapters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from mftbench.errors import UsageError
from mftbench.stages import Adapter

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Method:
    """How a base model is made trainable.

    ``frozen_base`` says that the base's own parameters stay as they are, so they can be held in the
    training's precision; parameters that are trained are always float32.
    """

    attach: Callable[[PreTrainedModel, Adapter, str], PreTrainedModel]
    frozen_base: bool


def _full(model: PreTrainedModel, adapter: Adapter, base: str) -> PreTrainedModel:
    return model


def _lora(model: PreTrainedModel, adapter: Adapter, base: str) -> PreTrainedModel:
    """Attach LoRA matrices (Hu et al., arXiv 2106.09685); ``all-linear`` spares the output head."""
    from peft import LoraConfig, get_peft_model

    everything = adapter.targets == ("all-linear",)
    config = LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules="all-linear" if everything else list(adapter.targets),
        task_type="CAUSAL_LM",
    )
    try:
        trained = get_peft_model(model, config)
    except ValueError as error:
        raise UsageError(f"adapter.targets {list(adapter.targets)}: {error}") from error
    saved: Any = trained.peft_config["default"]
    # What is written must not vary: sets have no order, and a path is the machine's.
    saved.target_modules = sorted(saved.target_modules)
    saved.base_model_name_or_path = base
    # A PeftModel passes every call on to the model inside it.
    return cast("PreTrainedModel", trained)


METHODS = {"full": Method(_full, frozen_base=False), "lora": Method(_lora, frozen_base=True)}
