"""Temporary folders of backends on this machine: whose they are, and which are left over."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mftbench.sandbox.since import since


def folder_prefix(pid: int) -> str:
    """Begin the name of a process's folders so that whoever finds them can tell if it is gone.

    The machine's name is in it because containers may share a folder and not their processes.
    """
    return f"mftbench-{platform.node()}-{pid}-{since(pid)}-"


def left_over_folders() -> Iterator[Path]:
    """Find the folders of processes of this machine that are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"mftbench-{platform.node()}-*-*-*"):
        pid = folder.name.rsplit("-", 3)[1]
        if pid.isdigit() and not folder.name.startswith(folder_prefix(int(pid))):
            yield folder


def remove_left_over_folders() -> None:
    """Remove the folders of processes of this machine that are gone."""
    for folder in left_over_folders():
        shutil.rmtree(folder, ignore_errors=True)
