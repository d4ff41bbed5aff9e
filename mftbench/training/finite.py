"""Numbers that are not finite: they end a run with one line, before anything is made of them."""

from __future__ import annotations

import math

from mftbench.errors import EngineError


def require_finite(what: str, value: float, step: int) -> None:
    """Raise EngineError if a number of a step is not finite: the run has diverged."""
    if not math.isfinite(value):
        raise EngineError(f"{what} is {value} in step {step}; lower optim.lr")
