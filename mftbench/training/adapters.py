"""Which parameters are trained: all of them, or low-rank adapters of several kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from mftbench.errors import UsageError
from mftbench.stages import Adapter
from mftbench.training.routing import Routing, Unrouted

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

State: TypeAlias = "dict[str, Tensor]"
"""A model's parameters by name, whole."""


class Attach(Protocol):
    """Makes a base model trainable on tasks; ``base`` is its name."""

    def __call__(
        self, model: PreTrainedModel, adapter: Adapter, base: str, tasks: Sequence[str] = ()
    ) -> PreTrainedModel:
        """Give the model to train."""


def _unrouted(model: PreTrainedModel) -> Routing:
    return Unrouted()


class Save(Protocol):
    """Writes what is kept of a model; ``state`` holds its parameters if they are sharded."""

    def __call__(
        self,
        model: PreTrainedModel,
        folder: Path,
        adapter: Adapter,
        tasks: Sequence[str],
        state: State | None = None,
    ) -> None:
        """Write a folder."""


def _save(
    model: PreTrainedModel,
    folder: Path,
    adapter: Adapter,
    tasks: Sequence[str],
    state: State | None = None,
) -> None:
    if state is not None:
        # Gathered apart, a weight that is tied to another is no longer known to be.
        tied = getattr(model, "all_tied_weights_keys", {})
        state = {name: tensor for name, tensor in state.items() if name not in tied}
    model.save_pretrained(folder, state_dict=state)


@dataclass(frozen=True)
class Method:
    """How a base model is made trainable, and what is saved of it.

    ``frozen_base`` says that the base's own parameters stay as they are, so they can be held in the
    training's precision; parameters that are trained are always float32. ``routing`` finds what has
    to be told of each token's task.
    """

    attach: Attach
    frozen_base: bool
    routing: Callable[[PreTrainedModel], Routing] = _unrouted
    save: Save = _save


def _full(
    model: PreTrainedModel, adapter: Adapter, base: str, tasks: Sequence[str] = ()
) -> PreTrainedModel:
    return model


def _lora(
    model: PreTrainedModel, adapter: Adapter, base: str, tasks: Sequence[str] = ()
) -> PreTrainedModel:
    """Attach LoRA matrices (Hu et al., arXiv 2106.09685); ``all-linear`` spares the output head."""
    from torch import nn

    from mftbench.training.lora_linear import LoraLinear

    return _attach(model, adapter, base, layers={nn.Linear: LoraLinear})


def _dora(
    model: PreTrainedModel, adapter: Adapter, base: str, tasks: Sequence[str] = ()
) -> PreTrainedModel:
    """Attach LoRA with the weights' magnitudes trained apart (DoRA, arXiv 2402.09353)."""
    return _attach(model, adapter, base, use_dora=True)


def _qlora(
    model: PreTrainedModel, adapter: Adapter, base: str, tasks: Sequence[str] = ()
) -> PreTrainedModel:
    """Hold the base in 4 bits and attach LoRA matrices (Dettmers et al., arXiv 2305.14314)."""
    from mftbench.training.quantization import quantize

    return _attach(quantize(model, adapter), adapter, base)


def _poly(
    model: PreTrainedModel, adapter: Adapter, base: str, tasks: Sequence[str] = ()
) -> PreTrainedModel:
    """Attach several LoRA experts, which a router of each task mixes."""
    from mftbench.training.poly import attach

    return attach(model, adapter, base, tasks)


def _poly_routing(model: PreTrainedModel) -> Routing:
    from mftbench.training.poly import routing

    return routing(model)


def _save_poly(
    model: PreTrainedModel,
    folder: Path,
    adapter: Adapter,
    tasks: Sequence[str],
    state: State | None = None,
) -> None:
    from mftbench.training.poly import save

    save(model, folder, adapter, tasks, state)


def _attach(
    model: PreTrainedModel,
    adapter: Adapter,
    base: str,
    layers: Mapping[type, type] | None = None,
    **options: Any,
) -> PreTrainedModel:
    from peft import LoraConfig, get_peft_model

    everything = adapter.targets == ("all-linear",)
    config = LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules="all-linear" if everything else list(adapter.targets),
        task_type="CAUSAL_LM",
        **options,
    )
    config._register_custom_module(dict(layers or {}))
    try:
        trained = get_peft_model(model, config)
    except ValueError as error:
        raise UsageError(f"adapter.targets {list(adapter.targets)}: {error}") from error
    _keep_precision(trained)
    saved: Any = trained.peft_config["default"]
    # What is written must not vary: sets have no order, and a path is the machine's.
    saved.target_modules = sorted(saved.target_modules)
    saved.base_model_name_or_path = base
    # A PeftModel passes every call on to the model inside it.
    return cast("PreTrainedModel", trained)


def _keep_precision(trained: Any) -> None:
    """Let autocast alone choose the precision of an adapter's products.

    peft turns a layer's input to the matrices' float32 first, and autocast turns it back: the same
    numbers, for two copies of every input.
    """
    import torch
    from peft.tuners.lora import LoraLayer

    parameters = [parameter for parameter in trained.parameters() if not parameter.requires_grad]
    if any(parameter.dtype is torch.bfloat16 for parameter in parameters):
        for module in trained.modules():
            if isinstance(module, LoraLayer):
                module.cast_input_dtype_enabled = False


METHODS = {
    "full": Method(_full, frozen_base=False),
    "lora": Method(_lora, frozen_base=True),
    "dora": Method(_dora, frozen_base=True),
    "qlora": Method(_qlora, frozen_base=True),
    "poly": Method(_poly, frozen_base=True, routing=_poly_routing, save=_save_poly),
}
