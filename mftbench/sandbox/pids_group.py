"""A hard limit on the processes of one cell, by a control group of its own where one may be made.

Root needs it: the kernel applies RLIMIT_NPROC to every user but root. Ordinary users can rarely
make groups, and need none: there the limit of the user namespace holds.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_ROOTS = (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup"))
_REMOVE_S = 1.0
# The shell joins the group before it becomes the command: nothing can be started outside.
_JOIN = 'echo 0 > "$0" && exec "$@"'


class PidsGroup:
    """One control group that holds at most so many tasks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def wrap(self, command: Sequence[str]) -> list[str]:
        """Make the command line that joins the group and becomes the command."""
        return ["/bin/sh", "-c", _JOIN, str(self._folder / "cgroup.procs"), *command]

    def remove(self) -> None:
        """Remove the group once its last task is gone; a group that stays busy is left behind."""
        patience = time.monotonic() + _REMOVE_S
        while time.monotonic() < patience:
            try:
                self._folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.002)
            else:
                return


def new_group(tasks: int) -> PidsGroup | None:
    """Make a group for at most ``tasks`` tasks, or None where none is needed or possible."""
    root = _writable_root()
    if root is None:
        return None
    folder = root / f"mftbench-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        folder.mkdir()
        (folder / "pids.max").write_text(str(tasks))
    except OSError:
        with contextlib.suppress(OSError):
            folder.rmdir()
        return None
    return PidsGroup(folder)


@cache
def _writable_root() -> Path | None:
    """Find where groups with a limit on tasks can be made, by making one."""
    if os.geteuid() != 0:
        return None
    for root in _ROOTS:
        folder = root / f"mftbench-{os.getpid()}-probe"
        try:
            folder.mkdir()
        except OSError:
            continue
        limited = (folder / "pids.max").exists()
        with contextlib.suppress(OSError):
            folder.rmdir()
        if limited:
            _remove_stale(root)
            return root
    return None


def _remove_stale(root: Path) -> None:
    """Remove the empty groups of runs that were killed before they could."""
    for folder in root.glob("mftbench-*"):
        owner = folder.name.split("-")[1]
        if not Path("/proc", owner).exists():
            with contextlib.suppress(OSError):
                folder.rmdir()
