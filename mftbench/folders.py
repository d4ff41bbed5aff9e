"""Folders to write to, made or refused in one line."""

from __future__ import annotations

from pathlib import Path

from mftbench.errors import StoreError


def make_folder(folder: Path) -> Path:
    """Make a folder and what lies above it, unless it is there; give it.

    Raises StoreError if it cannot be made: a file is in its place, or the disk refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make the folder {folder}: {error.strerror}; name another, or make room for it"
        ) from error
    return folder
