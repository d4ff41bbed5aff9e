"""Digest files by content, hashing each unchanged file once per process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path


def digest_files(paths: Iterable[Path]) -> str:
    """Return one SHA-256 over the names and contents of files, whatever their order."""
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.name):
        digest.update(f"{path.name}\0{_digest(path)}\n".encode())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    status = path.stat()
    return _digest_unchanged(path.resolve(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _digest_unchanged(path: Path, size: int, mtime_ns: int) -> str:
    # Size and time are in the cache key, so a file that was written anew is hashed anew.
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
