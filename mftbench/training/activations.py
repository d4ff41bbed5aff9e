"""Activations kept for the backward pass, or made again in it: no weight depends on which."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

from mftbench.errors import UsageError, require
from mftbench.estimates.memory import layer_activations

if TYPE_CHECKING:
    from mftbench.stages import Optim
    from mftbench.training.routing import Routing

VARIABLE: Final = "MFTBENCH_ACTIVATIONS"
"""Names the choice; stages that run in processes of their own inherit it."""

CHOICES: Final = ("auto", "keep", "recompute")

_MOMENTS = 12
"""Bytes that the gradient and Adam's two moments take for a trained weight in 32 bits."""

_SPARE = 0.8
"""Share of the free memory that is counted on: kernels need room to work in."""


def choose(choice: str) -> None:
    """Let the trainings of this process, and of those that it starts, treat activations so.

    Raises UsageError for an unknown choice.
    """
    require("choice", choice, CHOICES, "--activations")
    os.environ[VARIABLE] = choice


def prepare(model: Any, optim: Optim, routing: Routing) -> bool:
    """Have a model make its layers' activations again if that is chosen; say whether it does.

    The choice is the environment's; "auto", the default, does so on a GPU whose free memory would
    not hold them. Raises UsageError for an unknown choice, or where the model cannot.
    """
    choice = os.environ.get(VARIABLE, CHOICES[0])
    require("choice", choice, CHOICES, VARIABLE)
    able = bool(getattr(model, "supports_gradient_checkpointing", False))
    if choice == "recompute" and not able:
        raise UsageError(
            f"{type(model).__name__} cannot make its activations again; set --activations to 'keep'"
        )
    if not able or choice == "keep" or (choice == "auto" and fits(model, optim, _free())):
        return False
    model.gradient_checkpointing_enable(
        {"use_reentrant": False, "context_fn": lambda: (nullcontext(), routing.again())}
    )
    return True


def fits(model: Any, optim: Optim, free: int | None) -> bool:
    """Say whether ``free`` bytes hold a micro-batch's activations beside what else is to come.

    None stands for memory that is not watched, a processor's.
    """
    if free is None:
        return True
    config = model.config.get_text_config()
    layers, hidden = getattr(config, "num_hidden_layers", 0), getattr(config, "hidden_size", 0)
    held = layer_activations(layers, hidden, optim)
    trained = sum(each.numel() for each in model.parameters() if each.requires_grad)
    return bool(held + _MOMENTS * trained <= _SPARE * free)


def _free() -> int | None:
    # Not of the device that the model is on: one that will be sharded is on none yet.
    import torch

    return torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else None
