"""Rows of several machines as one board: equal rows once, rows that contradict refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from mftbench.canonical import dumps, plain
from mftbench.errors import UsageError
from mftbench.leaderboard.files import RESTORE
from mftbench.leaderboard.rows import Row, read_rows, rounded
from mftbench.leaderboard.verify import inconsistent_rows

Place: TypeAlias = tuple[str, str, str, str, str, str, int]


def merge_rows(files: Sequence[Path], board: str) -> tuple[Row, ...]:
    """Join the rows of some results.jsonl under one board's name.

    Raises UsageError for two rows of one cell, metric and seed that were not made from the same
    artifacts, or that were and differ: one of them is wrong, and which cannot be told from here.
    Also for a row that was edited, as a check would name it.
    """
    kept: dict[Place, tuple[Path, Row]] = {}
    for path in files:
        for row in _named(read_rows(path), board):
            first, known = kept.setdefault(row.order, (path, row))
            if dumps(rounded(plain(known))) != dumps(rounded(plain(row))):
                raise UsageError(_conflict(known, first, row, path))
    for path, row in kept.values():
        for fault in inconsistent_rows([row]):
            raise UsageError(f"{path}: {fault}; {RESTORE}")
    return tuple(row for _, row in kept.values())


def _named(rows: Iterable[Row], board: str) -> Iterable[Row]:
    return (replace(row, board=board) for row in rows)


def _conflict(known: Row, first: Path, row: Row, path: Path) -> str:
    system = f"{row.mode}:{row.balancer}" if row.balancer else row.mode
    cell = f"{row.model} {system} on {row.task} ({row.source}) {row.metric} seed {row.seed}"
    if known.keys == row.keys:
        return (
            f"{first} and {path} differ on {cell} although both name score {row.keys.score}; "
            "check both boards, and score again where they were edited"
        )
    ours, theirs = plain(known.keys), plain(row.keys)
    stage = next(
        name for name in ("train", "generate", "execute", "score") if ours[name] != theirs[name]
    )
    return (
        f"{first} and {path} conflict on {cell}: {stage} keys {ours[stage]!r} and "
        f"{theirs[stage]!r}; merge only rows of one study, made with one version"
    )
