"""A spec's optimizer settings in the library's words."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from transformers import TrainingArguments
from transformers.trainer_utils import SchedulerType

from mftbench.errors import UsageError, require, unknown
from mftbench.stages import Optim, Parallel
from mftbench.training.layouts import LAYOUTS
from mftbench.training.sampling import TASK_SAMPLING
from mftbench.training.sharding import parallel_arguments
from mftbench.training.stopping import STOPS
from mftbench.training.trackers import trackers

_AT_THE_END = 10**9  # the library evaluates after the last step anyway


def ranks() -> int:
    """Count the processes that train together, as launchers tell each of them."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def training_arguments(
    optim: Optim, seed: int, work: Path, *, validate: bool, parallel: Parallel | None = None
) -> TrainingArguments:
    """Translate; ``validate`` says whether there are rows to validate on, at the end at least.

    Raises UsageError for an unknown schedule, or a number that cannot be trained with.
    """
    _check(optim)
    _check_validations(optim, validate=validate)
    made = TrainingArguments(
        output_dir=str(work),
        seed=seed,
        learning_rate=optim.lr,
        lr_scheduler_type=optim.schedule,
        warmup_steps=optim.warmup,
        weight_decay=optim.weight_decay,
        max_grad_norm=optim.grad_clip,
        optim="adamw_torch_fused",
        num_train_epochs=optim.epochs,
        max_steps=optim.steps if optim.steps > 0 else -1,
        per_device_train_batch_size=optim.batch,
        per_device_eval_batch_size=optim.batch,
        # A global batch is one batch to the library; the layout cuts it into micro-batches.
        gradient_accumulation_steps=1,
        bf16=optim.dtype == "bfloat16",
        logging_steps=max(optim.log_every, 1),
        eval_strategy="steps" if validate else "no",
        eval_steps=optim.eval_every or _AT_THE_END,
        save_strategy="steps" if optim.checkpoint_every > 0 else "no",
        save_steps=max(optim.checkpoint_every, 1),
        save_total_limit=2,  # the last complete one stays until the next is complete
        # Said outright where there is no accelerator: only then do several ranks find each other.
        use_cpu=not torch.accelerator.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        remove_unused_columns=False,
        logging_nan_inf_filter=False,  # a loss that is not finite stops the run instead
        disable_tqdm=True,
        report_to=trackers(),
        log_level="error",
        **parallel_arguments(parallel or Parallel(), ranks()),
    )
    if made.n_gpu > 1:
        # Else the library would cut batches, whose rows are packed and counted, among all GPUs.
        made._n_gpu = 1
    return made


def _check(optim: Optim) -> None:
    schedules = [str(kind.value) for kind in SchedulerType]
    if optim.schedule not in schedules:
        raise unknown("schedule", optim.schedule, schedules, "optim.schedule")
    require("padding", optim.padding, LAYOUTS, "optim")
    require("task sampling", optim.task_sampling, TASK_SAMPLING, "optim")
    require("rule to stop", optim.stop, STOPS, "optim")
    for name in ("batch", "accumulation", "max_length", "patience"):
        if getattr(optim, name) < 1:
            raise UsageError(f"optim.{name} is {getattr(optim, name)}; it must be at least 1")
    if not 0 <= optim.warmup < 1:
        raise UsageError(f"optim.warmup is {optim.warmup}; it is a share of all steps, below 1")
    if optim.sampling_temperature <= 0:
        raise UsageError(
            f"optim.sampling_temperature is {optim.sampling_temperature}; it must be above 0"
        )
    if not 0 <= optim.valid_share < 1:
        raise UsageError(f"optim.valid_share is {optim.valid_share}; it must be in [0, 1)")


def _check_validations(optim: Optim, *, validate: bool) -> None:
    if optim.stop == "never" and optim.keep == "last":
        return
    if not optim.eval_every:
        raise UsageError("optim.stop and optim.keep look at validations; set optim.eval_every")
    if not validate:
        raise UsageError(
            "optim.stop and optim.keep look at validations, and there are no validation rows; "
            "raise optim.valid_share"
        )
