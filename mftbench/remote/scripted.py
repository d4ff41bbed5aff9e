"""Objects of a place that is away when a script says so; what is there is in this process."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mftbench.remote.objects import Objects, open_objects

Answer = TypeVar("Answer")


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
        self._begin("read", name)
        return self._end("read", name, self.objects.read(name))

    def create(self, name: str, data: bytes) -> bool:
        """Create in memory."""
        self._begin("create", name)
        return self._end("create", name, self.objects.create(name, data))

    def replace(self, name: str, data: bytes) -> None:
        """Replace in memory."""
        self._begin("replace", name)
        self._end("replace", name, self.objects.replace(name, data))

    def delete(self, name: str) -> None:
        """Delete from memory."""
        self._begin("delete", name)
        self._end("delete", name, self.objects.delete(name))

    def names(self, folder: str) -> list[str]:
        """List in memory."""
        self._begin("names", folder)
        return self._end("names", folder, self.objects.names(folder))

    def upload(self, file: Path, name: str) -> None:
        """Put a file into memory."""
        self._begin("upload", name)
        self._end("upload", name, self.objects.upload(file, name))

    def download(self, name: str, file: Path) -> None:
        """Get a file from memory."""
        self._begin("download", name)
        self._end("download", name, self.objects.download(name, file))

    def _begin(self, call: str, name: str) -> None:
        self.calls.append((call, name))
        self._before(call, name)

    def _end(self, call: str, name: str, answer: Answer) -> Answer:
        self._after(call, name)
        return answer
