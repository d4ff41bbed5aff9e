"""Where the library's loop calls ours: the ends of a step, complete checkpoints, progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from mftbench.progress import Progress

if TYPE_CHECKING:
    from mftbench.training.trainer import MultiTaskTrainer


class StepCallback(TrainerCallback):
    """Tell the trainer when a step's gradient is whole, when it was taken, and when it is saved."""

    def __init__(self, trainer: MultiTaskTrainer) -> None:
        self.trainer = trainer

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Show the balancer the untrained model, unless the run is resumed."""
        if state.global_step == 0:
            self.trainer.begin()

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Seed the order of the epoch, also of one that is resumed in its middle."""
        self.trainer.sampler.epoch = int(state.epoch or 0)

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Close the window of micro-batches."""
        self.trainer.close_window()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Update the balancer; save no checkpoint of the last step, of which the artifact is made.

        The library takes one step too many when it resumes from a checkpoint of the last.
        """
        self.trainer.end_step()
        if state.global_step >= state.max_steps:
            control.should_save = False


class ProgressCallback(TrainerCallback):
    """Report steps and the latest logged loss to a stage's progress."""

    def __init__(self, progress: Progress, label: str) -> None:
        self.progress = progress
        self.label = label

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start at the step that is resumed from."""
        self.progress.start(self.label, state.max_steps)
        if state.global_step:
            self.progress.advance(state.global_step, "resumed")

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Count a step."""
        losses = [line["loss"] for line in state.log_history[-1:] if "loss" in line]
        self.progress.advance(1, f"loss {losses[-1]:.3f}" if losses else "")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """End the stage."""
        self.progress.finish()
