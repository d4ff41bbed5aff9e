"""Token rows in flat arrays: a table of a million rows is five arrays, in memory or on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TokenRow:
    """One tokenised example. ``task`` is the task's position in the spec."""

    task: int
    input_ids: Sequence[int] | NDArray[Any]
    prompt_length: int


@dataclass(frozen=True)
class TokenTable:
    """Rows by position, as views: ``flats[task][start : start + length]`` are a row's token ids.

    All but ``flats`` are (rows,).
    """

    flats: Sequence[NDArray[Any]]
    tasks: Ints
    starts: Ints
    lengths: Ints
    prompt_lengths: Ints

    @staticmethod
    def of(rows: Iterable[TokenRow]) -> TokenTable:
        """Put rows into a table."""
        rows = list(rows)
        lengths = np.array([len(row.input_ids) for row in rows], dtype=np.int64)
        tasks = np.array([row.task for row in rows], dtype=np.int64)
        ids = [np.asarray(row.input_ids, dtype=np.int64) for row in rows]
        flat = np.concatenate(ids) if ids else np.zeros(0, np.int64)
        return TokenTable(
            flats=[flat] * (int(tasks.max(initial=0)) + 1),
            tasks=tasks,
            starts=lengths.cumsum() - lengths,
            lengths=lengths,
            prompt_lengths=np.array([row.prompt_length for row in rows], dtype=np.int64),
        )

    @staticmethod
    def join(tables: Sequence[TokenTable]) -> TokenTable:
        """Put tables of one task each, in the order of their tasks, behind one another."""
        return TokenTable(
            [flat for index, table in enumerate(tables) for flat in table.flats[index : index + 1]],
            *(
                np.concatenate([getattr(table, name) for table in tables])
                for name in ("tasks", "starts", "lengths", "prompt_lengths")
            ),
        )

    def select(self, chosen: NDArray[Any]) -> TokenTable:
        """Give some of the rows, by mask or by positions."""
        return replace(
            self,
            tasks=self.tasks[chosen],
            starts=self.starts[chosen],
            lengths=self.lengths[chosen],
            prompt_lengths=self.prompt_lengths[chosen],
        )

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, row: int) -> TokenRow:
        task, start = int(self.tasks[row]), int(self.starts[row])
        ids = self.flats[task][start : start + int(self.lengths[row])]
        return TokenRow(task, ids, int(self.prompt_lengths[row]))

    def __iter__(self) -> Iterator[TokenRow]:
        return (self[row] for row in range(len(self)))
