"""Paired comparisons of two systems, column by column, Holm-corrected across the columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from mftbench.leaderboard.cells import Cell, Cells, Column, System
from mftbench.leaderboard.footnotes import Entry, caveats
from mftbench.scoring.intervals import Interval, as_items
from mftbench.scoring.overall import overall_difference
from mftbench.scoring.paired import Comparison, compare, correct, noise_statement


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a system among its board's cells, and what to call it."""

    name: str
    cells: Cells
    system: System

    def cell(self, column: Column) -> Cell | None:
        """Give the side's cell in a column."""
        return self.cells.get((self.system, column))


@dataclass(frozen=True)
class Pair:
    """System ``a`` against system ``b``: what was compared, and what could not be and why.

    ``difference`` and ``interval`` are of the mean over the tasks of the compared columns, each
    task the mean of its columns; None where there are none, or a side has not the same seeds on all
    of them. ``notes`` say what limits the numbers.
    """

    a: str
    b: str
    compared: tuple[tuple[Column, Comparison], ...]
    skipped: tuple[tuple[Column, str], ...]
    difference: float | None = None
    interval: Interval | None = None
    notes: tuple[str, ...] = ()

    @property
    def statement(self) -> str:
        """Say in one sentence what stands out of the noise."""
        return noise_statement([comparison for _, comparison in self.compared])

    def count(self, verdict: str) -> int:
        """Count the columns on which the comparison ended so: "better", "worse", "inside ..."."""
        return sum(comparison.verdict == verdict for _, comparison in self.compared)


def all_pairs(cells: Cells, systems: Sequence[System], columns: Sequence[Column]) -> list[Pair]:
    """Compare every trained mode with every mode above it in the table: mft with mixed, ..."""
    trained = [system for system in systems if _is_trained(cells, system)]
    return [
        make_pair(Side(later.label, cells, later), Side(earlier.label, cells, earlier), columns)
        for earlier, later in sorted(combinations(trained, 2), key=_study_order)
        if later.mode != earlier.mode
    ]


def make_pair(a: Side, b: Side, columns: Sequence[Column]) -> Pair:
    """Compare two sides on every column that both can be compared on."""
    able, sides, skipped = [], [], []
    for column in columns:
        left, right = a.cell(column), b.cell(column)
        if left is None or right is None:
            skipped.append((column, "not evaluated in both"))
        elif reason := _obstacle(left, right):
            skipped.append((column, reason))
        else:
            able.append(column)
            sides.append((left, right))
    found = correct(compare(left.items, right.items) for left, right in sides)
    difference, interval = _overall([column.task for column in able], sides)
    compared = tuple(zip(able, found, strict=True))
    notes = caveats([*_entries(a, able), *_entries(b, able)])
    return Pair(a.name, b.name, compared, tuple(skipped), difference, interval, notes)


def _entries(side: Side, columns: Sequence[Column]) -> Iterator[Entry]:
    for column in columns:
        if (cell := side.cell(column)) is not None:
            yield side.system, column, cell


def _overall(
    tasks: Sequence[str], sides: Sequence[tuple[Cell, Cell]]
) -> tuple[float | None, Interval | None]:
    """Take all tasks together, where each side has the same seeds on all columns."""
    lefts, rights = [left.seeds for left, _ in sides], [right.seeds for _, right in sides]
    if len(set(lefts)) != 1 or len(set(rights)) != 1:
        return None, None
    return overall_difference(
        [as_items(left.items) for left, _ in sides],
        [as_items(right.items) for _, right in sides],
        tasks,
    )


def _is_trained(cells: Cells, system: System) -> bool:
    return any(key[0] == system and cell.first.train_tasks for key, cell in cells.items())


def _study_order(pair: tuple[System, System]) -> tuple[object, ...]:
    """Put the study's question first: the last mode against the one before it."""
    earlier, later = pair
    return -later.rank[0], -earlier.rank[0], later.rank, earlier.rank


def _obstacle(a: Cell, b: Cell) -> str:
    if not (a.ranked and b.ranked):
        return "items are missing or the value is not available"
    if a.first.items_digest != b.first.items_digest:
        return "different problems"
    return ""
