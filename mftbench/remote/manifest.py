"""A manifest: the one object whose creation publishes an artifact, and the files that it names."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from mftbench.canonical import dumps, plain
from mftbench.errors import StoreError
from mftbench.records import from_json


@dataclass(frozen=True)
class File:
    """A file of an artifact: its name in the folder, its bytes, and their SHA-256."""

    name: str
    size: int
    sha256: str

    @property
    def nested(self) -> bool:
        """Say whether the file lies in a folder of the artifact, as a model's weights do."""
        return "/" in self.name

    def matches(self, path: Path) -> bool:
        """Say whether a file on disk has these bytes."""
        return path.stat().st_size == self.size and _sha256(path) == self.sha256


@dataclass(frozen=True)
class Manifest:
    """The files of one publication; ``folder`` is where its uploads are, and nobody else's."""

    folder: str
    files: tuple[File, ...]


def describe(folder: Path, uploads: str) -> Manifest:
    """List the files of a folder that are, or will be, uploaded under ``uploads``."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return Manifest(
        uploads,
        tuple(
            File(path.relative_to(folder).as_posix(), path.stat().st_size, _sha256(path))
            for path in paths
        ),
    )


def to_bytes(manifest: Manifest) -> bytes:
    """Write a manifest."""
    return dumps(plain(manifest)).encode("ascii")


def from_bytes(data: bytes, where: str) -> Manifest:
    """Read a manifest. Raises StoreError naming the place if it is none."""
    try:
        return from_json(Manifest, json.loads(data))
    except ValueError as error:
        raise StoreError(f"{where}: no manifest ({error}); delete it to re-make it") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
