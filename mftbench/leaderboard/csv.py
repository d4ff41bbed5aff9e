"""A board as CSV: one line per system and column, on the scale 0..1."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from mftbench.leaderboard.board import Board, Section
from mftbench.leaderboard.cells import Column
from mftbench.leaderboard.published import PublishedRow, published_rows
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
    yield from _table(section.main, section.main.columns)
    for table in section.tasks:
        yield from _table(table, [column for column in table.columns if not column.headline])
    for row in published_rows(section.main):
        yield from _published(row)


def _published(row: PublishedRow) -> Iterator[list[object]]:
    for column, share in row.values.items():
        place = (column.task, column.source, column.metric)
        known: list[object] = [row.label, "published", "", *place, _number(share)]
        yield known + [""] * (len(HEAD) - len(known))


def _table(table: Table, columns: Iterable[Column]) -> Iterator[list[object]]:
    for column in columns:
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
