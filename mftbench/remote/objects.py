"""Objects by name in one place that several machines reach: the protocol, and fsspec's places."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from mftbench.errors import UsageError

_IN_MEMORY = threading.Lock()
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "file": {"auto_mkdir": True},
    # ``Patient`` asks again: that the library does so too would make every wait minutes long.
    "s3": {"config_kwargs": {"retries": {"total_max_attempts": 1}}},
}


class Objects(Protocol):
    """Bytes by name; a name's parts are divided by "/". Names are seen as soon as they are there.

    What a call raises when the place is away is its own; ``Patient`` says what becomes of it.
    """

    url: str

    def read(self, name: str) -> bytes | None:
        """Give an object, or None if there is none."""
        ...

    def create(self, name: str, data: bytes) -> bool:
        """Make an object at once, or give False if there is one: one of several callers does."""
        ...

    def replace(self, name: str, data: bytes) -> None:
        """Make an object, or put other bytes in its place at once."""

    def delete(self, name: str) -> None:
        """Remove an object, if it is there."""

    def names(self, folder: str) -> list[str]:
        """Give the last parts of the names of all objects of a folder, not of folders in it."""
        ...

    def upload(self, file: Path, name: str) -> None:
        """Make an object of a file; until it is done others may see a part of it."""

    def download(self, name: str, file: Path) -> None:
        """Write an object to a file."""


def open_objects(url: str) -> Objects:
    """Open the place of a URL.

    Raises UsageError if fsspec does not know its kind, or lacks the library for it.
    """
    from fsspec.core import url_to_fs

    protocol = url.partition("://")[0]
    # Listings and connections must be fresh: other machines write, and servers come back.
    fresh = {"use_listings_cache": False, "skip_instance_cache": True}
    try:
        system, root = url_to_fs(url, **fresh, **_OPTIONS.get(protocol, {}))
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"--store {url!r}: {error}; s3:// needs mftbench[s3], other kinds their fsspec library"
        ) from None
    kinds = {"file": _FolderObjects, "memory": _MemoryObjects}
    return kinds.get(protocol, FsspecObjects)(url, system, root)


class FsspecObjects:
    """A folder of one of fsspec's file systems. Its fake is ``memory://``.

    The file system must honour ``mode="create"``: S3 and what speaks like it, Google, Azure do.
    """

    def __init__(self, url: str, system: Any, root: str) -> None:
        self.url = url
        self._system = system
        self._root = root.rstrip("/")

    def read(self, name: str) -> bytes | None:
        """Read it whole."""
        try:
            return bytes(self._system.cat_file(self._path(name)))
        except FileNotFoundError:
            return None

    def create(self, name: str, data: bytes) -> bool:
        """Write with the condition that nothing is there: on S3 ``If-None-Match: *``."""
        try:
            self._system.pipe_file(self._path(name), data, mode="create")
        except FileExistsError:
            return False
        return True

    def replace(self, name: str, data: bytes) -> None:
        """Write without a condition."""
        self._system.pipe_file(self._path(name), data)

    def delete(self, name: str) -> None:
        """Remove it."""
        with suppress(FileNotFoundError):
            self._system.rm_file(self._path(name))

    def names(self, folder: str) -> list[str]:
        """List the folder."""
        try:
            found = self._system.ls(self._path(folder), detail=True)
        except FileNotFoundError:
            return []
        return [each["name"].rpartition("/")[2] for each in found if each["type"] == "file"]

    def upload(self, file: Path, name: str) -> None:
        """Put the file, in several parts if it is large."""
        self._system.put_file(str(file), self._path(name))

    def download(self, name: str, file: Path) -> None:
        """Get the file."""
        self._system.get_file(self._path(name), str(file))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


class _MemoryObjects(FsspecObjects):
    """This process's memory, which looks whether an object is there and then writes it."""

    def create(self, name: str, data: bytes) -> bool:
        """Let one thread at a time look and write."""
        with _IN_MEMORY:
            return super().create(name, data)


class _FolderObjects(FsspecObjects):
    """A folder of this machine's file system: an object appears by a link or a rename."""

    def create(self, name: str, data: bytes) -> bool:
        """Link a whole file to the name, which fails if there is one."""
        part = self._part(name, data)
        try:
            os.link(part, self._path(name))
        except FileExistsError:
            return False
        finally:
            part.unlink()
        return True

    def replace(self, name: str, data: bytes) -> None:
        """Rename a whole file to the name."""
        self._part(name, data).replace(self._path(name))

    def names(self, folder: str) -> list[str]:
        """List the folder without what is being written."""
        return [name for name in super().names(folder) if not name.startswith(".part-")]

    def _part(self, name: str, data: bytes) -> Path:
        path = Path(self._path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.parent / f".part-{uuid.uuid4().hex}"
        part.write_bytes(data)
        return part
