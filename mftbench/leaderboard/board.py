"""A board: everything that its formats print, computed once from rows and study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mftbench.leaderboard.cells import Column, group
from mftbench.leaderboard.pairs import Pair, all_pairs
from mftbench.leaderboard.rows import Row
from mftbench.leaderboard.table import Table, make_table
from mftbench.study import Study


@dataclass(frozen=True)
class Section:
    """One base model: the main table, the metrics beside it, and the comparisons."""

    model: str
    main: Table
    further: Table | None
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Board:
    """All sections of a board. ``study`` is None for rows without a study file."""

    name: str
    study: Study | None
    sections: tuple[Section, ...]
    rows: tuple[Row, ...]


def make_board(name: str, rows: Sequence[Row], study: Study | None = None) -> Board:
    """Aggregate rows. Columns follow the study's order of tasks, else their names.

    Raises UsageError for rows that do not belong into one table.
    """
    models = sorted({row.model for row in rows})
    tasks = study.tasks if study else ()
    sections = tuple(
        _section(model, [row for row in rows if row.model == model], tasks) for model in models
    )
    return Board(name, study, sections, tuple(rows))


def _section(model: str, rows: Sequence[Row], tasks: Sequence[str]) -> Section:
    cells = group(rows)
    systems = sorted({system for system, _ in cells}, key=lambda system: system.rank)
    columns = sorted({column for _, column in cells}, key=lambda column: _place(column, tasks))
    headline = [column for column in columns if column.headline]
    others = [column for column in columns if not column.headline]
    return Section(
        model=model,
        main=make_table(cells, systems, headline),
        further=make_table(cells, systems, others) if others else None,
        pairs=tuple(all_pairs(cells, systems, headline)),
    )


def _place(column: Column, tasks: Sequence[str]) -> tuple[int, str, str, str]:
    known = tasks.index(column.task) if column.task in tasks else len(tasks)
    return known, column.task, column.source, column.metric
