"""Objects of a place that is away when a script says so; what is there is in this process."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mftbench.remote.objects import Objects, open_objects


def in_memory() -> Objects:
    """Open a fresh place in this process's memory."""
    return open_objects(f"memory://mftbench-{uuid.uuid4().hex}")


class Scripted:
    """Ask ``before`` of every call, with its name and the object's, then do it in memory.

    What ``before`` raises is what the place raises; ``after`` is the same for answers that get
    lost on their way. ``calls`` keeps both names.
    """

    def __init__(
        self,
        before: Callable[[str, str], None] = lambda call, name: None,
        after: Callable[[str, str], None] = lambda call, name: None,
        objects: Objects | None = None,
    ) -> None:
        self.objects = objects or in_memory()
        self.url = self.objects.url
        self.calls: list[tuple[str, str]] = []
        self._before = before
        self._after = after

    def read(self, name: str) -> bytes | None:
        """Read from memory."""
        with self._around("read", name):
            return self.objects.read(name)

    def create(self, name: str, data: bytes) -> bool:
        """Create in memory."""
        with self._around("create", name):
            return self.objects.create(name, data)

    def replace(self, name: str, data: bytes) -> None:
        """Replace in memory."""
        with self._around("replace", name):
            self.objects.replace(name, data)

    def delete(self, name: str) -> None:
        """Delete from memory."""
        with self._around("delete", name):
            self.objects.delete(name)

    def names(self, folder: str) -> list[str]:
        """List in memory."""
        with self._around("names", folder):
            return self.objects.names(folder)

    def upload(self, file: Path, name: str) -> None:
        """Put a file into memory."""
        with self._around("upload", name):
            self.objects.upload(file, name)

    def download(self, name: str, file: Path) -> None:
        """Get a file from memory."""
        with self._around("download", name):
            self.objects.download(name, file)

    @contextmanager
    def _around(self, call: str, name: str) -> Iterator[None]:
        self.calls.append((call, name))
        self._before(call, name)
        yield
        self._after(call, name)
