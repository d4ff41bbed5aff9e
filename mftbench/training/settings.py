"""Whether settings can be trained with, said before anything is loaded."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Final, get_args, get_type_hints

from mftbench.errors import UsageError, require
from mftbench.stages import Optim

SCHEDULES: Final = (
    "linear",
    "cosine",
    "cosine_with_restarts",
    "polynomial",
    "constant",
    "constant_with_warmup",
    "inverse_sqrt",
)
"""Schedules that need no more than a number of steps; the library's others ask for their own."""

_AT_LEAST = {
    "batch": 1,
    "accumulation": 1,
    "max_length": 1,
    "patience": 1,
    "pack_length": 0,
    "steps": 0,
    "tokens": 0,
    "log_every": 0,
    "eval_every": 0,
    "affinity_every": 0,
    "checkpoint_every": 0,
}


def check_optim(optim: Optim, where: str = "") -> None:
    """Raise UsageError for a name that is not known, or a number that cannot be trained with."""
    place = f"{where}: " if where else ""
    require("schedule", optim.schedule, SCHEDULES, f"{place}optim.schedule")
    for name, hint in get_type_hints(Optim).items():
        if choices := get_args(hint):
            require(name.replace("_", " "), getattr(optim, name), choices, f"{place}optim.{name}")
    for field in fields(optim):
        value = getattr(optim, field.name)
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"{place}optim.{field.name} is {value}; a finite number is wanted")
    for name, least in _AT_LEAST.items():
        if getattr(optim, name) < least:
            value = getattr(optim, name)
            raise UsageError(f"{place}optim.{name} is {value}; it must be at least {least}")
    for name, wanted, holds in (
        ("lr", "at least 0", optim.lr >= 0),
        ("warmup", "a share of all steps, below 1", 0 <= optim.warmup < 1),
        ("valid_share", "in [0, 1)", 0 <= optim.valid_share < 1),
        ("sampling_temperature", "above 0", optim.sampling_temperature > 0),
        ("epochs", "above 0", optim.epochs > 0 or optim.steps > 0 or optim.tokens > 0),
    ):
        if not holds:
            raise UsageError(f"{place}optim.{name} is {getattr(optim, name)}; it must be {wanted}")
    if (optim.stop, optim.keep) != ("never", "last") and not optim.eval_every:
        raise UsageError(
            f"{place}optim.stop and optim.keep look at validations; set optim.eval_every"
        )
