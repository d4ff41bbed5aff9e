"""Get data files: their published bytes, or a hub data set's rows written in the same format."""

from __future__ import annotations

import gzip
import io
import json
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from mftbench.canonical import plain
from mftbench.errors import UsageError
from mftbench.sources.jsonl import digest
from mftbench.sources.published import ORIGIN_SUFFIX, DataFile, Hub

__all__ = ["fetch_from_hub", "fetch_upstream", "load_from_hub"]

Rows = Iterable[Mapping[str, Any]]
TIMEOUT_S = 60.0


class Load(Protocol):
    """Load one split of a hub data set at a revision."""

    def __call__(self, hub: Hub, split: str, revision: str) -> Rows:
        """Give its rows."""


def fetch_upstream(file: DataFile[Any], folder: Path) -> Path:
    """Download a file and hold it to its published digest.

    Raises UsageError if it cannot be had or is not what was published.
    """
    try:
        with urllib.request.urlopen(file.upstream, timeout=TIMEOUT_S) as answer:
            content = answer.read()
    except (OSError, HTTPException, ValueError) as error:
        raise UsageError(f"{file.upstream}: cannot be fetched: {error}") from error
    return _keep(folder / file.path, content, file.verify)


def fetch_from_hub(
    file: DataFile[Any], folder: Path, revision: str = "", load: Load | None = None
) -> Path:
    """Write a file from the hub's rows, in the upstream format, and note the commit beside it.

    Raises UsageError if the hub has no such data, no commit is known, or a row does not fit.
    """
    hub = file.hub
    if hub is None:
        raise UsageError(f"{file.path}: the hub has no such data; fetch it from upstream")
    commit = revision or hub.revision
    if not commit:
        raise UsageError(f"{hub.dataset}: no commit is pinned here; name one by --revision")
    read = load or load_from_hub
    rows = [
        _row(file, row, f"{hub.dataset}@{commit[:12]} {split}[{position}]")
        for split in hub.splits
        for position, row in enumerate(read(hub, split, commit))
    ]
    if len(rows) != file.count:
        raise UsageError(f"{hub.dataset}@{commit}: {len(rows)} rows, not {file.count}")
    path = _keep(folder / file.path, _written(file.path, rows), _anything)
    origin = {"dataset": hub.dataset, "config": hub.config, "revision": commit}
    note = {**origin, "sha256": digest(path)}
    path.with_name(path.name + ORIGIN_SUFFIX).write_text(json.dumps(note) + "\n", "utf-8")
    return path


def load_from_hub(hub: Hub, split: str, revision: str) -> Rows:
    """Load a split through ``datasets``, which caches it.

    Raises UsageError if ``datasets`` is not installed or cannot give it.
    """
    try:
        from datasets import load_dataset
    except ImportError:
        raise UsageError("datasets is not installed; pip install 'mftbench[hub]'") from None
    try:
        rows: Rows = load_dataset(hub.dataset, hub.config, split=split, revision=revision)
    except Exception as error:  # whatever the hub's client raises, the remedy is one
        raise UsageError(f"{hub.dataset}@{revision}: the hub did not give it: {error}") from error
    return rows


def _row(file: DataFile[Any], row: Mapping[str, Any], place: str) -> dict[str, Any]:
    hub = file.hub
    names = dict(hub.renamed) if hub else {}
    renamed = {ours: row[theirs] for ours, theirs in names.items() if theirs in row}
    try:
        value = TypeAdapter(file.kind).validate_python({**row, **renamed})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise UsageError(f"{place}: field {field!r}: {first['msg'].lower()}") from None
    fields: dict[str, Any] = plain(value)
    return fields


def _written(path: str, rows: list[dict[str, Any]]) -> bytes:
    if path.endswith(".json"):
        return json.dumps(rows, indent=1).encode()
    lines = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    if not path.endswith(".gz"):
        return lines
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed:  # the same bytes every time
        packed.write(lines)
    return buffer.getvalue()


def _anything(path: Path) -> None:
    """Accept a file."""


def _keep(path: Path, content: bytes, verify: Callable[[Path], None]) -> Path:
    """Publish a file by one rename, after it was verified."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        verify(part)
        part.rename(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return path
