"""Tell a process from a later one that was given the same number."""

from __future__ import annotations

import os
from pathlib import Path

_STARTED_FIELD = 19  # of /proc/PID/stat after the command name: see proc(5)


def since(pid: int) -> str:
    """Say when a process started, in the kernel's ticks; a word where that cannot be known."""
    try:
        stat = Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return "alive" if _alive(pid) else "gone"
    return stat.rpartition(")")[2].split()[_STARTED_FIELD]


def _alive(pid: int) -> bool:
    """Say whether a process is there, where there is no /proc."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
