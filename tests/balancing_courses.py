"""A short training under any balancer, and what of it must not depend on how batches are split.

To hold one more split to the law, add it to SPLITS: options of ``course`` by name.
"""

from dataclasses import dataclass

import torch
from training_runs import TASKS, GradientKeeper, make_trainer, tiny_llama, token_rows

from mftbench.stages import Balance
from mftbench.training.balancing.registry import built_in_balancers, make_balancer

# What a method needs, or what makes it leave its start within a few steps.
OPTIONS = {
    "fixed_weights": {"weights": {"sql": 2.0}},
    "coba": {"warmup": 2, "history": 4},
    "coba_mftcoder": {"warmup": 2, "history": 4},
    "dwa": {"interval": 1},
    "stch": {"warmup": 1},
}
BALANCERS = sorted(built_in_balancers())
SPLITS = {
    "2 x 4": {"batch": 2, "accumulation": 4},
    "packed": {"batch": 8, "padding": "packed", "max_length": 48},
}


@dataclass(frozen=True)
class Course:
    """The first step's gradient, every step's losses and weights, and the balancer's state."""

    gradient: torch.Tensor
    lines: list[list[float]]
    state: list[float]


def balancer_named(name):
    return make_balancer(Balance(name, OPTIONS.get(name, {})), TASKS)


def course(work, name, *, steps=3, rows=8, **options):
    """Train a tiny model for some steps of all rows.

    The rate is low, for Adam magnifies the rounding of gradients that are nearly 0.
    """
    trainer = make_trainer(
        work,
        token_rows(rows),
        balancer=balancer_named(name),
        valid=token_rows(11, seed=1),
        steps=steps,
        lr=1e-3,
        warmup=0.0,
        model=tiny_llama(),
        **options,
    )
    keeper = GradientKeeper()
    trainer.add_callback(keeper)
    trainer.train()
    history = [line for line in trainer.state.log_history if "loss" in line]
    names = [key for key in sorted(history[0]) if key.startswith(("loss", "weight"))]
    lines = [[line.get(key, 0.0) for key in names] for line in history]
    return Course(keeper.gradient, lines, state_of(trainer))


def state_of(trainer):
    """Every number that a checkpoint keeps of the balancing, in order."""
    parts = _tensors(trainer.steps.state_dict())
    return [number for part in parts for number in part.double().flatten().tolist()]


def _tensors(state):
    if isinstance(state, dict):
        return [
            tensor
            for key in sorted(state)
            if key != "measured_first"
            for tensor in _tensors(state[key])
        ]
    return [torch.as_tensor(0.0 if state is None else state).nan_to_num()]
