"""Say whether an adapter belongs to a base model, from the adapter's own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mftbench.errors import EngineError, UsageError
from mftbench.models.location import BUILT_IN, fingerprint

if TYPE_CHECKING:
    from torch import nn

_PREFIX = "base_model.model."


def adapter_config(adapter: Path) -> dict[str, Any]:
    """Read an adapter's configuration.

    Raises EngineError if the folder holds none.
    """
    try:
        config: dict[str, Any] = json.loads((adapter / "adapter_config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"{adapter} holds no adapter: {error}") from error
    return config


def require_fit(model: nn.Module, adapter: Path, base: str = "") -> None:
    """Refuse an adapter that was trained on another base, by its record of it and by its weights.

    peft itself leaves out what has no place in the model, without an error.

    Raises EngineError naming what does not fit.
    """
    trained_on = str(adapter_config(adapter).get("base_model_name_or_path") or "")
    if base and trained_on and _differ(trained_on, base):
        raise EngineError(f"adapter {adapter} was trained on {trained_on!r}, not on {base!r}")
    for name, shape in _matrices(adapter).items():
        module = _find(model, name)
        if module is None:
            raise EngineError(f"adapter {adapter} does not fit {base}: it has no module {name}")
        width = getattr(module, "in_features", None)
        if width is not None and shape[-1] != width:
            raise EngineError(
                f"adapter {adapter} does not fit {base}: {name} takes {width} values there, "
                f"{shape[-1]} in the adapter"
            )


def _differ(one: str, other: str) -> bool:
    """Say whether two names are known to stand for different models; a hub is not asked."""
    if one == other or not all(name in BUILT_IN or Path(name).is_dir() for name in (one, other)):
        return False
    try:
        return fingerprint(one) != fingerprint(other)
    except UsageError:
        return False


def _matrices(adapter: Path) -> dict[str, list[int]]:
    """Read the shapes of the A matrices, by the name of the module that they are for."""
    from safetensors import safe_open

    file = adapter / "adapter_model.safetensors"
    if not file.is_file():
        return {}
    with safe_open(file, framework="numpy") as tensors:
        return {
            name.removeprefix(_PREFIX).rpartition(".lora_A")[0]: tensors.get_slice(name).get_shape()
            for name in tensors.keys()  # noqa: SIM118 # not a mapping
            if ".lora_A." in name
        }


def _find(model: nn.Module, name: str) -> nn.Module | None:
    try:
        return model.get_submodule(name)
    except AttributeError:
        return None
