"""The self-check of packing: packed rows must lose what they lose alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mftbench.errors import UsageError
from mftbench.training.batches import Batch, collate_packed, collate_padded
from mftbench.training.tokens import TokenRow

Losses = Callable[[Batch], Tensor]
"""Gives a batch's token losses, (N,), without dropout."""

# Attention of packed rows rounds elsewhere than that of padded ones: in bfloat16 the losses of
# SmolLM2 are 0.02 from the exact ones either way. Rows that see each other are off by 1.
_TOLERANCE = {"float32": 1e-4, "bfloat16": 6e-2}


def isolation_error(losses: Losses, rows: Sequence[TokenRow]) -> float:
    """Give the relative distance of the rows' token losses, packed and each in its own sequence.

    Where packed rows see each other, the distance is of the order of the losses themselves.
    """
    tasks = max(row.task for row in rows) + 1
    with torch.no_grad():
        packed = losses(collate_packed(rows, tasks)).double()
        alone = losses(collate_padded(rows, tasks)).double()
    return float((packed - alone).norm() / alone.norm().clamp(min=1e-9))


def require_isolation(losses: Losses, rows: Sequence[TokenRow], dtype: str) -> None:
    """Hold the losses of packed rows to those of the rows alone, to the rounding of ``dtype``.

    Raises UsageError if the model mixes rows.
    """
    error = isolation_error(losses, rows)
    if not error <= _TOLERANCE[dtype]:
        raise UsageError(
            f"packed rows see each other in this model (their losses are off by {error:.1%}); "
            "set optim.padding to 'dynamic'"
        )
