"""Validation rows in batches that hold every task, for balancers that look at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mftbench.training.balancing.probe import Measured
from mftbench.training.batches import Batch
from mftbench.training.measuring import Measuring
from mftbench.training.tokens import TokenRow, TokenTable


class ValidationRows:
    """Batches of about ``size`` rows, of each task as many; a task with few rows repeats them.

    They depend on the rows and on ``size`` alone, not on how many ranks measure them. ``lay_out``
    gives this rank's micro-batches of some rows.
    """

    def __init__(
        self,
        rows: TokenTable,
        size: int,
        lay_out: Callable[[Sequence[TokenRow]], list[Batch]],
        measuring: Measuring,
    ) -> None:
        self.rows = rows
        self.lay_out = lay_out
        self.measuring = measuring
        self._by_task = [np.flatnonzero(rows.tasks == task) for task in np.unique(rows.tasks)]
        self._each = max(size // len(self._by_task), 1)

    def __len__(self) -> int:
        """Count the batches until every row was in one."""
        return -(-max(map(len, self._by_task)) // self._each)

    def __call__(self, index: int) -> Measured:
        """Measure a batch without dropout and without gradients."""
        chosen = [self.rows[int(row)] for row in self.chosen(index)]
        return self.measuring.validation_losses(self.lay_out(chosen))

    def chosen(self, index: int) -> list[int]:
        """Give the positions of a batch's rows."""
        picked = []
        for rows in self._by_task:
            each = min(self._each, len(rows))
            picked += [int(rows[(index * each + place) % len(rows)]) for place in range(each)]
        return picked
