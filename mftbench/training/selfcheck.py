"""The laws of training, checked on this machine in a second: no split of a batch may show."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from mftbench.stages import Balance, Optim
from mftbench.training.arguments import training_arguments
from mftbench.training.attention import isolate_segments
from mftbench.training.balancing.balancer import BalancedTask
from mftbench.training.balancing.registry import make_balancer
from mftbench.training.isolation import isolation_error
from mftbench.training.layouts import make_layout
from mftbench.training.quiet import quiet
from mftbench.training.randomness import forked_random
from mftbench.training.sampling import GlobalBatchSampler
from mftbench.training.token_losses import token_losses
from mftbench.training.tokens import TokenRow, TokenTable
from mftbench.training.trainer import MultiTaskTrainer, Recipe

_TASKS = (BalancedTask("frequent"), BalancedTask("rare"))
_ROWS = 8


def accumulation_error() -> float:
    """Give the relative distance of one step's gradients, 8 rows at once and 8 times one row.

    A tiny random model is balanced by task means in float32, where about 1e-7 is rounding.
    """
    generator = random.Random(0)
    rows = [_row(generator, task=int(index >= _ROWS - 2)) for index in range(_ROWS)]
    with quiet(), forked_random():
        whole = _gradient(rows, batch=_ROWS, accumulation=1)
        split = _gradient(rows, batch=1, accumulation=_ROWS)
    return float((split - whole).norm() / whole.norm())


def packing_error() -> float:
    """Give the relative distance of the token losses of 8 rows, packed and each row alone.

    The model is as in ``accumulation_error``. Rows that saw each other would make it about 0.1.
    """
    generator = random.Random(0)
    rows = [_row(generator, task=0) for _ in range(_ROWS)]
    with quiet(), forked_random():
        model: Any = _model().eval()
        isolate_segments(model)
        return isolation_error(lambda batch: token_losses(model, model.lm_head, batch), rows)


def _row(generator: random.Random, task: int) -> TokenRow:
    length = generator.randint(5, 40)
    ids = [generator.randrange(64) for _ in range(length)]
    return TokenRow(task, ids, generator.randint(1, length - 2))


def _gradient(rows: Sequence[TokenRow], batch: int, accumulation: int) -> Tensor:
    table = TokenTable.of(rows)
    optim = Optim(steps=1, batch=batch, accumulation=accumulation, grad_clip=0.0)
    recipe = Recipe(
        tasks=tuple(task.name for task in _TASKS),
        balancer=make_balancer(Balance("task_token"), _TASKS),
        scope="global",
        layout=make_layout(optim, len(_TASKS)),
        sampler=GlobalBatchSampler(table.tasks, window=batch * accumulation, seed=0),
    )
    keeper = _GradientKeeper()
    with tempfile.TemporaryDirectory() as folder:
        arguments = training_arguments(optim, 0, Path(folder), validate=False)
        trainer = MultiTaskTrainer(_model(), arguments, recipe, table)
        trainer.add_callback(keeper)
        trainer.train()
    return keeper.gradient


def _model() -> nn.Module:
    torch.manual_seed(0)
    make: Any = LlamaForCausalLM  # untyped upstream
    model: nn.Module = make(
        LlamaConfig(
            vocab_size=64,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=2,
            initializer_range=0.05,
        )
    )
    return model


class _GradientKeeper(TrainerCallback):
    """Keep the gradient that the optimizer is about to use."""

    gradient: Tensor

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Copy it, in the order of the parameters."""
        grads = [p.grad.flatten() for p in given["model"].parameters() if p.grad is not None]
        self.gradient = torch.cat(grads).cpu()
