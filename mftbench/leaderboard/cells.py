"""The cells of a table: rows grouped by system and column, averaged over seeds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TypeAlias

from mftbench.errors import UsageError
from mftbench.leaderboard.rows import Row
from mftbench.scoring.intervals import Interval, mean_interval

MODES = ("base", "single", "mixed", "mft")  # the order of a table's rows; others follow by name


@dataclass(frozen=True)
class System:
    """What is compared: one way of making a model out of a base."""

    model: str
    mode: str
    balancer: str = ""

    @property
    def label(self) -> str:
        """Name the system inside one model's table: "mixed", "mft:task_token"."""
        return f"{self.mode}:{self.balancer}" if self.balancer else self.mode

    @property
    def rank(self) -> tuple[int, str, str]:
        """Give the system's place among the rows of a table."""
        known = MODES.index(self.mode) if self.mode in MODES else len(MODES)
        return known, self.mode, self.balancer


@dataclass(frozen=True)
class Column:
    """What is measured: one metric on one source of one task."""

    task: str
    source: str
    metric: str
    headline: bool

    @property
    def label(self) -> str:
        """Name the column without its metric: "completion (starter)"."""
        return f"{self.task} ({self.source})"


@dataclass(frozen=True)
class Cell:
    """One system's rows on one column, a row per seed, in the order of seeds."""

    rows: tuple[Row, ...]

    @property
    def value(self) -> float | None:
        """Give the mean over seeds; None where a seed has no value."""
        values = [row.value for row in self.rows if row.value is not None]
        return math.fsum(values) / len(values) if len(values) == len(self.rows) else None

    @cached_property
    def interval(self) -> Interval | None:
        """Give the interval over problems and seeds; None for a cell that is not ranked."""
        return mean_interval(self.items) if self.ranked else None

    @property
    def ranked(self) -> bool:
        """Say whether the cell may be compared: it has a value and misses no item."""
        return self.value is not None and self.missing == 0

    @property
    def items(self) -> list[list[float]]:
        """Give the per-problem values of a ranked cell, one list per seed."""
        return [[item for item in row.items if item is not None] for row in self.rows]

    @property
    def first(self) -> Row:
        """Give the row of the first seed, for what all seeds share."""
        return self.rows[0]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Give the seeds in order."""
        return tuple(row.seed for row in self.rows)

    @property
    def samples(self) -> int:
        """Give n, the smallest number of samples per problem."""
        return min(row.samples for row in self.rows)

    @property
    def missing(self) -> int:
        """Count missing items over all seeds."""
        return sum(row.missing for row in self.rows)

    @property
    def asked(self) -> int:
        """Count problems over all seeds."""
        return sum(row.problems for row in self.rows)

    @property
    def in_process(self) -> int:
        """Count samples judged in the candidate's own process, over all seeds."""
        return sum(row.in_process for row in self.rows)

    @property
    def outcomes(self) -> dict[str, int]:
        """Count samples by outcome over all seeds, the most frequent first."""
        total: Counter[str] = Counter()
        for row in self.rows:
            total.update(row.outcomes)
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    @property
    def unseen(self) -> bool:
        """Say whether a model that was trained was not trained on this task."""
        return bool(self.first.train_tasks) and self.first.task not in self.first.train_tasks


Cells: TypeAlias = Mapping[tuple[System, Column], Cell]


def group(rows: Iterable[Row]) -> Cells:
    """Group rows into cells.

    Raises UsageError for two rows of one cell and seed, and for a column whose rows answered
    different problems: such numbers do not belong into one table.
    """
    ordered = sorted(rows, key=lambda row: row.order)
    cells = {
        key: Cell(tuple(members)) for key, members in groupby(ordered, lambda row: _place(row))
    }
    for (system, column), cell in cells.items():
        _check_seeds(system, column, cell.seeds)
    _check_problems(ordered)
    return cells


def _place(row: Row) -> tuple[System, Column]:
    column = Column(row.task, row.source, row.metric, row.headline)
    return System(row.model, row.mode, row.balancer), column


def _check_seeds(system: System, column: Column, seeds: Sequence[int]) -> None:
    for seed, count in Counter(seeds).items():
        if count > 1:
            raise UsageError(
                f"results.jsonl has {count} rows of {system.model} {system.label} on "
                f"{column.label} {column.metric} with seed {seed}; keep one study to a board"
            )


def _check_problems(rows: Iterable[Row]) -> None:
    sets: dict[tuple[str, str], str] = {}
    for row in rows:
        known = sets.setdefault((row.task, row.source), row.items_digest)
        if known != row.items_digest:
            raise UsageError(
                f"results.jsonl has rows of different problems on {row.task} ({row.source}); "
                "run the study again, so that all systems answer the same"
            )
