"""The options by which commands name a model and an engine, and how they become these."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mftbench.stages import ModelRef

ModelName = Annotated[str, typer.Option("--model", help="A built-in name, a folder or a hub id.")]
AdapterFolder = Annotated[
    Path | None, typer.Option("--adapter", help="A trained adapter of the model.")
]
TaskName = Annotated[str, typer.Option("--task", help="The task plugin.")]
SourceName = Annotated[str, typer.Option("--source", help="The task's source of problems.")]
FormatName = Annotated[str, typer.Option("--format", help="How prompts are dressed.")]


def model_ref(model: str, adapter: Path | None, task: str) -> ModelRef:
    """Name the model with its adapter, or with the adapter's part for the task if it has several.

    Raises UsageError if the adapter's folder is not there.
    """
    from mftbench.errors import UsageError
    from mftbench.models.trained import trained_model
    from mftbench.stages import ModelRef

    if adapter is None:
        return ModelRef(model)
    if not (adapter / "adapter_config.json").is_file():
        raise UsageError(f"--adapter {str(adapter)!r} holds no adapter_config.json")
    return trained_model(model, adapter, task, adapter=True)


def values(pairs: Sequence[str], where: str) -> dict[str, Any]:
    """Read KEY=VALUE pairs; a value is TOML, or else a string.

    Raises UsageError for a pair without "=".
    """
    from mftbench.errors import UsageError

    found = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"{where}: {pair!r} is not KEY=VALUE")
        try:
            found[name] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            found[name] = text
    return found
