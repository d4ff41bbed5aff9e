"""Which part of a trained model answers for a task."""

from __future__ import annotations

from pathlib import Path

from mftbench.stages import ModelRef

_TASKS = "tasks"


def own_folder(model: Path, task: str) -> Path:
    """Name the folder for what a training makes for one task alone, inside its ``model`` folder."""
    return model / _TASKS / task


def trained_model(base: str, model: Path, task: str, *, adapter: bool) -> ModelRef:
    """Name the model that answers for a task: the task's own part, where the training made one.

    ``model`` is the ``model`` folder of a Train artifact, which answers for all other tasks.
    """
    own = own_folder(model, task)
    if own.is_dir():
        return ModelRef(base, own, adapter, part=task)
    return ModelRef(base, model, adapter)
