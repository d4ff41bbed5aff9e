"""A board: everything that its formats print, computed once from rows and study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mftbench.leaderboard.cells import Cells, Column, System, group
from mftbench.leaderboard.pairs import Pair, all_pairs
from mftbench.leaderboard.rows import Row
from mftbench.leaderboard.sight import Sight, sights
from mftbench.leaderboard.table import Table, make_table
from mftbench.study import Study


@dataclass(frozen=True)
class Section:
    """One base model: the table of headlines, a table per task that has more, comparisons."""

    model: str
    main: Table
    tasks: tuple[Table, ...]
    pairs: tuple[Pair, ...]
    sights: tuple[Sight, ...]


@dataclass(frozen=True)
class Board:
    """All sections of a board. ``study`` is None for rows without a study file.

    ``place`` is its folder as commands take it: from where ``leaderboards`` is, or, for a folder
    elsewhere, from the folder that holds it.
    """

    name: str
    study: Study | None
    sections: tuple[Section, ...]
    rows: tuple[Row, ...]
    place: str


def make_board(
    name: str, rows: Sequence[Row], study: Study | None = None, place: str = ""
) -> Board:
    """Aggregate rows. Columns follow the study's order of tasks, else their names.

    ``place`` is the board's folder, if not that of its name in ``leaderboards``.
    Raises UsageError for rows that do not belong into one table.
    """
    models = sorted({row.model for row in rows})
    tasks = study.tasks if study else ()
    sections = tuple(
        _section(model, [row for row in rows if row.model == model], tasks) for model in models
    )
    return Board(name, study, sections, tuple(rows), place or f"leaderboards/{name}")


def _section(model: str, rows: Sequence[Row], tasks: Sequence[str]) -> Section:
    cells = group(rows)
    systems = sorted({system for system, _ in cells}, key=lambda system: system.rank)
    columns = sorted({column for _, column in cells}, key=lambda column: _place(column, tasks))
    headline = [column for column in columns if column.headline]
    pairs = tuple(all_pairs(cells, systems, headline))
    main = make_table(cells, systems, headline)
    return Section(
        model=model,
        main=main,
        tasks=tuple(_task_tables(cells, systems, columns)),
        pairs=pairs,
        sights=tuple(sights(main, pairs)),
    )


def _task_tables(
    cells: Cells, systems: Sequence[System], columns: Sequence[Column]
) -> Iterator[Table]:
    """Make one table per task that has more than its headlines: all its sources and metrics."""
    for task in dict.fromkeys(column.task for column in columns):
        own = [column for column in columns if column.task == task]
        if not all(column.headline for column in own):
            yield make_table(cells, systems, own, ranking=False)


def _place(column: Column, tasks: Sequence[str]) -> tuple[int, str, str, bool, str, int]:
    known = tasks.index(column.task) if column.task in tasks else len(tasks)
    name, _, k = column.metric.partition("@")
    number = int(k) if k.isdecimal() else 0  # pass@10 after pass@5
    return known, column.task, column.source, not column.headline, name, number
