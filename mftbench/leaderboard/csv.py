"""A board as CSV: one line per system and column, on the scale 0..1."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from mftbench.leaderboard.board import Board, Section
from mftbench.leaderboard.rows import DIGITS
from mftbench.leaderboard.table import Table

HEAD = (
    *("model", "mode", "balancer", "task", "source", "metric", "value", "low", "high", "standing"),
    *("problems", "samples", "seeds", "missing", "in_process", "no_code", "unseen", "synthetic"),
)


def render_csv(board: Board) -> str:
    """Write all tables of a board as one."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    for section in board.sections:
        writer.writerows(_section(section))
    return out.getvalue()


def _section(section: Section) -> Iterator[list[object]]:
    for table in (section.main, section.further):
        if table is not None:
            yield from _table(table)


def _table(table: Table) -> Iterator[list[object]]:
    for column in table.columns:
        for system in table.systems:
            cell = table.cell(system, column)
            if cell is None:
                continue
            low, high = cell.interval or (None, None)
            yield [
                *(system.model, system.mode, system.balancer),
                *(column.task, column.source, column.metric),
                *(_number(cell.value), _number(low), _number(high)),
                str(table.mark(system, column)),
                *(cell.first.problems, cell.samples, " ".join(map(str, cell.seeds))),
                *(cell.missing, cell.in_process, cell.outcomes.get("no_code", 0)),
                *(int(cell.unseen), int(cell.first.synthetic)),
            ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.{DIGITS}f}"
