"""Paired comparisons of two systems, column by column, Holm-corrected across the columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from mftbench.leaderboard.cells import Cell, Cells, Column, System
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
    """System ``a`` against system ``b``: what was compared, and what could not be and why."""

    a: str
    b: str
    compared: tuple[tuple[Column, Comparison], ...]
    skipped: tuple[tuple[Column, str], ...]

    @property
    def statement(self) -> str:
        """Say in one sentence what stands out of the noise."""
        return noise_statement([comparison for _, comparison in self.compared])


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
    able, found, skipped = [], [], []
    for column in columns:
        left, right = a.cell(column), b.cell(column)
        if left is None or right is None:
            skipped.append((column, "not evaluated in both"))
        elif reason := _obstacle(left, right):
            skipped.append((column, reason))
        else:
            able.append(column)
            found.append(compare(left.items, right.items))
    return Pair(a.name, b.name, tuple(zip(able, correct(found), strict=True)), tuple(skipped))


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
