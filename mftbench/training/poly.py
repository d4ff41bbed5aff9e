"""A mixture of LoRA experts with a router of each task: attached, and saved as plain LoRAs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from mftbench.canonical import dumps
from mftbench.errors import UsageError
from mftbench.models.trained import own_folder
from mftbench.stages import Adapter
from mftbench.training.poly_linear import PolyLinear, TaskRouting, mix, shares

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_LOGITS = "poly_router.default.module_logits"

EXPERTS = "poly"
"""The folder beside the plain LoRAs that holds the experts and routers, as peft's Poly."""


def attach(
    model: PreTrainedModel, adapter: Adapter, base: str, tasks: Sequence[str]
) -> PreTrainedModel:
    """Attach experts and routers (Polytropon, Ponti et al., arXiv 2202.13914).

    Raises UsageError for targets that the model has not, or fewer than two experts.
    """
    from peft import PolyConfig, get_peft_model
    from peft.tuners.poly import Linear

    if adapter.experts < 2:
        raise UsageError(
            f"adapter.experts is {adapter.experts}; 'poly' mixes at least 2, one is 'lora'"
        )
    everything = adapter.targets == ("all-linear",)
    config = PolyConfig(
        r=adapter.rank,
        target_modules="all-linear" if everything else list(adapter.targets),
        n_tasks=len(tasks),
        n_skills=adapter.experts,
        task_type="CAUSAL_LM",
    )
    try:
        trained = get_peft_model(model, config)
    except ValueError as error:
        raise UsageError(f"adapter.targets {list(adapter.targets)}: {error}") from error
    routing = TaskRouting(len(tasks))
    # Unlike LoRA's, peft's Poly takes no layer of ours for its own.
    for name, module in list(trained.named_modules()):
        if isinstance(module, Linear):
            ours = PolyLinear(module.base_layer, "default", config, adapter, routing)
            trained.set_submodule(name, ours)
    saved: Any = trained.peft_config["default"]
    # What is written must not vary: sets have no order, and a path is the machine's.
    saved.target_modules = sorted(saved.target_modules)
    saved.base_model_name_or_path = base
    return cast("PreTrainedModel", trained)


def routing(model: PreTrainedModel) -> TaskRouting:
    """Give what the layers of a model with experts share."""
    layers = (module for module in model.modules() if isinstance(module, PolyLinear))
    return next(layers).routing


def save(
    model: PreTrainedModel,
    folder: Path,
    adapter: Adapter,
    tasks: Sequence[str],
    state: Mapping[str, Tensor] | None = None,
) -> None:
    """Write a plain LoRA for each task, and one for any other; and the experts beside them.

    A task's mixture is itself a LoRA, because A and B are mixed before their product. ``folder`` is
    the LoRA of the tasks' mean mixture, for tasks without a router; those of the tasks are in
    folders of their own in it. Experts are written as peft's Poly computes: it scales by 1 / r.
    """
    held = model.state_dict() if state is None else state
    layers = [name for name, module in model.named_modules() if isinstance(module, PolyLinear)]
    with torch.no_grad():
        weights = {name: shares(held[f"{name}.{_LOGITS}"]) for name in layers}
        mean = {name: rows.mean(0) for name, rows in weights.items()}
        _save_lora(model, held, mean, folder, adapter)
        for index, task in enumerate(tasks):
            own = {name: rows[index] for name, rows in weights.items()}
            _save_lora(model, held, own, own_folder(folder, task), adapter)
        scaled = {
            name: tensor * adapter.alpha if ".poly_lora_B." in name else tensor
            for name, tensor in held.items()
            if ".poly_" in name
        }
    untyped: Any = model
    untyped.save_pretrained(folder / EXPERTS, state_dict=scaled, save_embedding_layers=False)
    (folder / EXPERTS / "tasks.json").write_text(dumps(list(tasks)) + "\n")


def _save_lora(
    model: PreTrainedModel,
    held: Mapping[str, Tensor],
    weights: dict[str, Tensor],
    folder: Path,
    adapter: Adapter,
) -> None:
    from peft import LoraConfig
    from safetensors.torch import save_file

    untyped: Any = model
    poly = untyped.peft_config["default"]
    config: Any = LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules=list(poly.target_modules),
        task_type="CAUSAL_LM",
        inference_mode=True,
    )
    config.target_modules = poly.target_modules
    config.base_model_name_or_path = poly.base_model_name_or_path
    folder.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(folder)
    tensors = {}
    for name, shared in weights.items():
        experts = (held[f"{name}.poly_lora_{side}.default"][0] for side in "AB")
        a, b = mix(shared.unsqueeze(0), *experts)
        tensors[f"{name}.lora_A.weight"] = a[0].T.contiguous().cpu()
        tensors[f"{name}.lora_B.weight"] = b[0].T.contiguous().cpu()
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
