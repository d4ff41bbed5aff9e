"""Checkpoints that count only when they are complete, and that hold all that a resume needs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

if TYPE_CHECKING:
    from mftbench.training.trainer import MultiTaskTrainer

# Written last and by rename: a checkpoint without it was cut short and is not there.
_STATE = "mftbench_state.pt"


class CheckpointCallback(TrainerCallback):
    """Complete each checkpoint of the library with the balancer's and the meter's state."""

    def __init__(self, trainer: MultiTaskTrainer) -> None:
        self.trainer = trainer

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Flush what the library wrote, then add our state."""
        self.trainer.accelerator.wait_for_everyone()  # each rank writes a part
        if not args.should_save:
            return
        folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        scratch = folder / f"{_STATE}.part"
        torch.save(
            {
                "steps": self.trainer.steps.state_dict(),
                "affinity": self.trainer.affinity.state_dict(),
                "meter": self.trainer.meter.state_dict(),
            },
            scratch,
        )
        for file in folder.iterdir():
            _flush(file)
        scratch.rename(folder / _STATE)
        _flush(folder)


def latest_checkpoint(work: Path) -> Path | None:
    """Give the newest complete checkpoint, and remove the incomplete ones."""
    complete: dict[int, Path] = {}
    for folder in work.glob("checkpoint-*"):
        if (folder / _STATE).is_file():
            complete[int(folder.name.removeprefix("checkpoint-"))] = folder
        else:
            shutil.rmtree(folder, ignore_errors=True)  # ranks do it at the same time
    return complete[max(complete)] if complete else None


def restore(trainer: MultiTaskTrainer, checkpoint: Path) -> None:
    """Load the balancer's and the meter's state; the library loads the rest."""
    state = torch.load(checkpoint / _STATE, weights_only=True)
    trainer.steps.load_state_dict(state["steps"])
    trainer.affinity.load_state_dict(state["affinity"])
    trainer.meter.load_state_dict(state["meter"])


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
