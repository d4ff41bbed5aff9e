"""One model's table: systems against columns, with the best, its ties, and ranks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mftbench.leaderboard.cells import Cell, Cells, Column, System
from mftbench.scoring.intervals import Interval, as_items
from mftbench.scoring.overall import MEAN_DIGITS, mean_ranks
from mftbench.scoring.paired import compare, correct


class Mark(StrEnum):
    """How a cell stands to the best of its column."""

    BEST = "best"
    TIED = "tied"  # not told apart from the best by the paired test
    BEHIND = "behind"
    UNRANKED = "unranked"


@dataclass(frozen=True)
class Table:
    """Systems by columns. ``ranks`` holds the mean rank over the columns that all systems share.

    ``rank_intervals`` are over problems, with each system's seeds averaged.
    """

    systems: tuple[System, ...]
    columns: tuple[Column, ...]
    cells: Cells
    marks: Mapping[tuple[System, Column], Mark]
    ranks: Mapping[System, float]
    ranked_columns: int
    rank_intervals: Mapping[System, Interval] = field(default_factory=dict)

    def cell(self, system: System, column: Column) -> Cell | None:
        """Give a cell, or None where the system was not evaluated."""
        return self.cells.get((system, column))

    def mark(self, system: System, column: Column) -> Mark:
        """Give a cell's mark; a cell that is not there is not ranked."""
        return self.marks.get((system, column), Mark.UNRANKED)


def make_table(
    cells: Cells, systems: Iterable[System], columns: Iterable[Column], *, ranking: bool = True
) -> Table:
    """Mark the cells of some systems on some columns, and rank the systems."""
    rows, heads = tuple(systems), tuple(columns)
    ranked = {column: _ranked(cells, rows, column) for column in heads}
    marks = {
        (system, column): mark
        for column in heads
        for system, mark in _marks(ranked[column]).items()
    }
    full = {
        column: ranked[column] for column in heads if len(ranked[column]) == len(rows) and ranking
    }
    ranks, intervals = _ranks(rows, full)
    return Table(rows, heads, cells, marks, ranks, len(full), intervals)


def _ranked(cells: Cells, systems: Sequence[System], column: Column) -> dict[System, Cell]:
    found = {system: cells.get((system, column)) for system in systems}
    return {system: cell for system, cell in found.items() if cell is not None and cell.ranked}


def _marks(ranked: Mapping[System, Cell]) -> dict[System, Mark]:
    """Mark a column: the highest value is best; the others are tested against it, Holm-adjusted."""
    if len(ranked) < 2:
        return {}
    best = max(ranked, key=lambda system: _value(ranked[system]))
    others = [system for system in ranked if system != best]
    found = correct(compare(ranked[best].items, ranked[system].items) for system in others)
    marks = {best: Mark.BEST}
    for system, comparison in zip(others, found, strict=True):
        if _value(ranked[system]) == _value(ranked[best]):
            marks[system] = Mark.BEST
        else:
            marks[system] = Mark.BEHIND if comparison.verdict == "better" else Mark.TIED
    return marks


def _ranks(
    systems: Sequence[System], columns: Mapping[Column, Mapping[System, Cell]]
) -> tuple[dict[System, float], dict[System, Interval]]:
    """Average each system's rank over the columns that all share, with intervals."""
    if not columns:
        return {}, {}
    import numpy as np

    values = [
        np.stack([as_items(cells[system].items).mean(axis=0) for system in systems], axis=1)
        for cells in columns.values()
    ]
    ranks, intervals = mean_ranks(values, [column.task for column in columns])
    return dict(zip(systems, ranks, strict=True)), dict(zip(systems, intervals, strict=True))


def _value(cell: Cell) -> float:
    """Give a ranked cell's mean as ranks see it: of its items, which no row has rounded."""
    return round(float(as_items(cell.items).mean()), MEAN_DIGITS)
