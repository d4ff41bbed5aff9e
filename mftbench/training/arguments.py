"""A spec's optimizer settings in the library's words."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from transformers import TrainingArguments

from mftbench.errors import UsageError
from mftbench.stages import Optim, Parallel
from mftbench.training.settings import check_optim
from mftbench.training.sharding import parallel_arguments
from mftbench.training.trackers import trackers

_AT_THE_END = 10**9  # the library evaluates after the last step anyway


def ranks() -> int:
    """Count the processes that train together, as launchers tell each of them."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def training_arguments(
    optim: Optim, seed: int, work: Path, *, validate: bool, parallel: Parallel | None = None
) -> TrainingArguments:
    """Translate; ``validate`` says whether there are rows to validate on, at the end at least.

    Raises UsageError for settings that cannot be trained with.
    """
    check_optim(optim)
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


def _check_validations(optim: Optim, *, validate: bool) -> None:
    if (optim.stop, optim.keep) != ("never", "last") and not validate:
        raise UsageError(
            "optim.stop and optim.keep look at validations, and there are no validation rows; "
            "raise optim.valid_share"
        )
