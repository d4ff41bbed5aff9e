"""Read JSON and JSONL files into typed rows; what is wrong with one is told by file and line."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypeVar

from pydantic import JsonValue, TypeAdapter, ValidationError

from mftbench.errors import UsageError

__all__ = ["digest", "read_lines", "read_rows", "whole_characters"]

Row = TypeVar("Row")

MAX_LINE_BYTES = 64_000_000
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read_rows(path: Path, kind: type[Row], key: str = "") -> list[Row]:
    """Read all rows of a ``.jsonl``, ``.jsonl.gz`` or ``.json`` file as records of one dataclass.

    A ``.json`` file holds one array; ``key`` is a field of which no value may come twice.

    Raises UsageError naming file, line (of an array: position) and field if the file is not what it
    should be.
    """
    adapter = TypeAdapter(kind)
    rows: list[Row] = []
    seen: dict[object, str] = {}
    for place, text in _texts(path):
        row = _parse(adapter, text, place)
        name = getattr(row, key) if key else place
        if name in seen:
            raise UsageError(f"{place}: field {key!r}: {name!r} is there already, at {seen[name]}")
        seen[name] = place
        rows.append(row)
    if not rows:
        raise UsageError(f"{path} is empty")
    return rows


def digest(path: Path) -> str:
    """Give the SHA-256 of a file's bytes, as a source's fingerprint."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _texts(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix != ".json":
        yield from ((f"{path}:{number}", line) for number, line in read_lines(path))
        return
    lines = []
    for number, line in read_lines(path):
        _require_utf8(line, f"{path}:{number}")
        lines.append(line)
    items = _parse(TypeAdapter(list[JsonValue]), b"".join(lines), f"{path}")
    for position, item in enumerate(items):
        yield f"{path}[{position}]", json.dumps(item).encode()


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Give a file's lines that are not blank, with their numbers.

    Raises UsageError for a file that cannot be read or a line that is too long.
    """
    try:
        with _open(path) as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise UsageError(f"{path}:{number}: line is over {MAX_LINE_BYTES:,} bytes long")
                line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if line.strip():
                    yield number, line
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _parse(adapter: TypeAdapter[Row], line: bytes, place: str) -> Row:
    _require_utf8(line, place)
    try:
        return adapter.validate_json(whole_characters(line))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(map(str, first["loc"]))
        where = f"{place}: field {field!r}" if field else place
        raise UsageError(f"{where}: {first['msg'].lower()}") from None


def _require_utf8(line: bytes, place: str) -> None:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{place}: not UTF-8 at byte {error.start + 1}") from None


def whole_characters(line: bytes) -> bytes:
    """Write lone surrogates, which models do write, as U+FFFD: pydantic refuses them."""
    if not _SURROGATE.search(line):
        return line
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):  # pydantic says what is wrong
        return line
    text = json.dumps(value, ensure_ascii=False)
    # Pairs are whole characters by now; what is left stands alone.
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()
