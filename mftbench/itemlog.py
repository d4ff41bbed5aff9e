"""An append-only JSONL file of finished items: what makes a killed stage go on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from mftbench.canonical import dumps
from mftbench.errors import StoreError
from mftbench.folders import make_folder

_BLOCK = 64 * 1024


class ItemLog:
    """Append items; read back the whole ones. A torn last line (kill -9) is cut off on opening.

    Use as a context manager. Not safe for several writers: the store's lock guards the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        make_folder(path.parent)
        _cut_torn_line(path)
        self._file = path.open("a", encoding="ascii")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the items that are on disk, in the order in which they were finished."""
        return read_items(self.path)

    def append(self, item: dict[str, Any]) -> None:
        """Write one item and hand it to the operating system: only a torn line can be lost."""
        self._file.write(dumps(item) + "\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _cut_torn_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        whole = _after_last_newline(file, end)
        if whole < end:
            file.truncate(whole)
            os.fsync(file.fileno())


def _after_last_newline(file: BinaryIO, end: int) -> int:
    """Search backwards, so that a log of any length is opened at once."""
    while end:
        start = max(0, end - _BLOCK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def read_items(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the items of a finished file.

    Raises StoreError with file and line number if a line is not a JSON object.
    """
    with path.open(encoding="utf-8") as lines:
        yield from _parsed(lines, path)


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the whole items of a log that another process may be writing, or was killed at.

    Raises StoreError as ``read_items`` does.
    """
    with path.open(encoding="utf-8") as lines:
        yield from _parsed((line for line in lines if line.endswith("\n")), path)


def _parsed(lines: Iterable[str], path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        try:
            item = json.loads(line)
        except ValueError as error:
            raise StoreError(f"{path}:{number}: not a JSON line ({error})") from error
        if not isinstance(item, dict):
            raise StoreError(f"{path}:{number}: expected an object, found {type(item).__name__}")
        yield item


def write_items(path: Path, items: Iterable[dict[str, Any]]) -> None:
    """Write items as canonical JSONL, in the order given."""
    with path.open("w", encoding="ascii") as file:
        file.writelines(dumps(item) + "\n" for item in items)
