"""A growing table in a balancer's state, and slopes of its columns."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class History(nn.Module):
    """Rows of numbers, oldest first, of which at most ``limit`` are kept (0: all)."""

    def __init__(self, columns: int, limit: int = 0) -> None:
        super().__init__()
        self.limit = limit
        self.rows = torch.zeros((0, columns), dtype=torch.float64)

    def append(self, row: Tensor) -> None:
        """Add a row; NaN stands for a value that is not known."""
        self.rows = torch.cat([self.rows, row.reshape(1, -1)])[-self.limit or None :]

    def __len__(self) -> int:
        return len(self.rows)

    def get_extra_state(self) -> Tensor:
        """Give the table; a buffer could not grow."""
        return self.rows.clone()

    def set_extra_state(self, state: Any) -> None:
        """Continue from a table."""
        self.rows = state.clone()


def slopes(table: Tensor) -> Tensor:
    """Fit each column over its rows' numbers by least squares: (rows, columns) to (columns,).

    A value that is NaN is left out at its place; a column with fewer than two values has slope 0.
    """
    known = ~table.isnan()
    count = known.sum(0).clamp(min=1)
    times = torch.arange(len(table), dtype=table.dtype).reshape(-1, 1).expand_as(table)
    centred = torch.where(known, times - (times * known).sum(0) / count, 0.0)
    spread = centred.square().sum(0)
    fitted = (centred * table.nan_to_num()).sum(0) / torch.where(spread > 0, spread, 1.0)
    return torch.where(spread > 0, fitted, 0.0)
