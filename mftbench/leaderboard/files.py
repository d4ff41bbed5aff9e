"""A board's folder: study.toml and results.jsonl, and the files that follow from the two."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from mftbench.errors import StoreError, UsageError
from mftbench.leaderboard.board import Board, make_board
from mftbench.leaderboard.formats import render
from mftbench.leaderboard.rows import Row, parse, read_rows, serialise
from mftbench.leaderboard.verify import inconsistent_rows, with_own_interval
from mftbench.study import load_study

RESULTS = "results.jsonl"
STUDY = "study.toml"
GENERATED = {"README.md": "md", "table.tex": "latex"}
ROOT = Path("leaderboards")
RESTORE = f"restore {RESULTS}, or make the board again"


def find_board(name: str) -> Path:
    """Find a board's folder by path, or by name under ``leaderboards``."""
    for folder in (Path(name), ROOT / name):
        if (folder / RESULTS).is_file():
            return folder
    raise UsageError(
        f"no {RESULTS} in {name} or {ROOT / name}; make the board with mftbench run, or name "
        "its folder"
    )


def read_board(folder: Path) -> Board:
    """Aggregate a folder's rows, with its study if there is one."""
    return _board(folder, read_rows(folder / RESULTS))


def write_board(folder: Path, rows: Iterable[Row]) -> None:
    """Write rows and what follows from them; a file whose bytes would not change is left alone.

    Raises UsageError for rows that do not belong together, StoreError if the disk refuses.
    """
    text = serialise(with_own_interval(row) for row in rows)
    # Read back, so that a board never depends on digits that its file does not have.
    board = _board(folder, parse(text, str(folder / RESULTS)))
    rendered = {name: render(board, style) for name, style in GENERATED.items()}
    for name, content in {RESULTS: text, **rendered}.items():
        publish(folder / name, content)


def rewrite_board(folder: Path) -> None:
    """Write what follows from a folder's rows again.

    Raises UsageError, before any file is touched, for a row that was edited: a number that was not
    measured would be printed.
    """
    rows = read_rows(folder / RESULTS)
    for fault in inconsistent_rows(rows):
        raise UsageError(f"{folder / RESULTS}: {fault}; {RESTORE}")
    write_board(folder, rows)


@dataclass(frozen=True)
class Stale:
    """A place in a board's folder that does not follow from its rows and study.

    ``generated`` is False for a row that was edited: nothing that is here says what it was.
    """

    place: str
    reason: str
    generated: bool = True


def check_board(folder: Path) -> list[Stale]:
    """Find every row, and every generated file, that is not what it should be.

    A row is named by its cell, a file by its first line that differs.
    """
    rows = read_rows(folder / RESULTS)
    stale = [Stale(RESULTS, fault, generated=False) for fault in inconsistent_rows(rows)]
    board = _board(folder, rows)
    expected = {RESULTS: serialise(rows)}
    expected |= {name: render(board, style) for name, style in GENERATED.items()}
    for name, content in expected.items():
        found = read_text(folder / name)
        if found is None:
            stale.append(Stale(name, "it is not there"))
        elif found != content:
            stale.append(_first_difference(name, found, content))
    return stale


def _first_difference(name: str, found: str, expected: str) -> Stale:
    """Name the first line of a file that its rows do not give."""
    pairs = zip_longest(found.splitlines(), expected.splitlines(), fillvalue="(no line)")
    for number, (line, wanted) in enumerate(pairs, start=1):
        if line != wanted:
            return Stale(f"{name}:{number}", f"{line[:120]!r} does not follow from its rows")
    return Stale(name, "its line ends do not follow from its rows")


def list_boards(root: Path = ROOT) -> list[Path]:
    """List the boards under a folder, at any depth."""
    return sorted(path.parent for path in root.rglob(RESULTS))


def _board(folder: Path, rows: tuple[Row, ...]) -> Board:
    path, (name, place) = folder / STUDY, _name_and_place(folder)
    return make_board(name, rows, load_study(path) if path.exists() else None, place)


def _name_and_place(folder: Path) -> tuple[str, str]:
    """Name a board so that commands find it again: below ``leaderboards`` with what lies between.

    "laptop", or "imbalance/1-10" for a board of a sweep. A folder elsewhere is found from the
    folder that holds it, wherever that is: a board reads the same on every machine.
    """
    path = folder.resolve()
    roots = [parent for parent in path.parents if parent.name == ROOT.name]
    if not roots:
        return path.name, path.name
    name = path.relative_to(roots[0]).as_posix()
    return name, f"{ROOT.name}/{name}"


def read_text(path: Path) -> str | None:
    """Read a file as text, whatever its bytes; None if there is none."""
    return path.read_bytes().decode("utf-8", "replace") if path.is_file() else None


def publish(path: Path, content: str) -> None:
    """Replace a file in one step, so that a reader sees the old one or the new one.

    Raises StoreError if the disk refuses.
    """
    if read_text(path) == content:
        return
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("w", encoding="utf-8", newline="\n") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        with suppress(OSError):
            scratch.unlink()
        raise StoreError(
            f"cannot write {path}: {error.strerror}; make room or permit it, then run again: "
            "finished artifacts are kept"
        ) from error
