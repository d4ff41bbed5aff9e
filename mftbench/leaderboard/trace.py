"""From the address of a table's cell to the rows behind it: BOARD/SYSTEM/TASK[@SOURCE]."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mftbench.errors import UsageError, unknown
from mftbench.leaderboard.cells import System
from mftbench.leaderboard.files import find_board, read_board
from mftbench.leaderboard.rows import Row

FORM = "BOARD/SYSTEM/TASK or BOARD/SYSTEM/TASK@SOURCE, like laptop/mft:task_token/sql"


def trace(address: str, model: str = "") -> list[Row]:
    """Find the headline rows of one cell, a row per seed.

    Raises UsageError for an address that names nothing, or several cells.
    """
    name, _, place = address.rpartition("/")
    folder, _, label = name.rpartition("/")
    if not folder or not label or not place:
        raise UsageError(f"{address!r} is no cell; write {FORM}")
    task, _, source = place.partition("@")
    rows = [row for row in read_board(find_board(folder)).rows if row.headline]
    rows = [row for row in rows if not model or row.model == model]
    rows = _only("system", label, rows, _label)
    rows = _only("task", task, rows, lambda row: row.task)
    if source:
        rows = _only("source", source, rows, lambda row: row.source)
    cells = sorted({f"{row.model} {row.task}@{row.source}" for row in rows})
    if len(cells) > 1:
        raise UsageError(f"{address!r} names {len(cells)} cells: {', '.join(cells)}; say which")
    return sorted(rows, key=lambda row: row.seed)


def _only(kind: str, wanted: str, rows: Iterable[Row], name: Callable[[Row], str]) -> list[Row]:
    known = list(rows)
    found = [row for row in known if name(row) == wanted]
    if not found:
        raise unknown(kind, wanted, {name(row) for row in known})
    return found


def _label(row: Row) -> str:
    return System(row.model, row.mode, row.balancer).label
