"""Memory and processes of a tree of processes, read from ``/proc``.

Copied into containers: standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/PID/stat after the command name: see proc(5).
_STATE, _THREADS, _RSS = 0, 17, 21


@dataclass(frozen=True)
class Usage:
    """What some processes use together. ``tasks`` counts threads, as the kernel's limit does."""

    tasks: int
    rss_bytes: int


def descendants(root: int, at_most: int = 1_000_000) -> list[int]:
    """List a process and all that descend from it and are alive; only it where there is no /proc.

    Stops at ``at_most``: whoever asks because of a limit need not count a fork bomb to its end.
    """
    found: list[int] = []
    queue = [root]
    while queue and len(found) < at_most:
        pid = queue.pop()
        found.append(pid)
        try:
            threads = list((_PROC / str(pid) / "task").iterdir())
        except OSError:
            continue
        for thread in threads:
            queue.extend(_children(thread))
    return found


def owned_by(user: int, at_most: int = 1_000_000) -> list[int]:
    """List the processes of a user, or that many of them; zombies too."""
    found: list[int] = []
    for entry in os.scandir(_PROC):
        if len(found) >= at_most:
            break
        if entry.name.isdigit():
            with suppress(OSError):
                if entry.stat().st_uid == user:
                    found.append(int(entry.name))
    return found


def exit_event(pid: int) -> int | None:
    """Open a descriptor that becomes readable when a process ends, where the system can (Linux)."""
    opener = getattr(os, "pidfd_open", None)
    if opener is None:
        return None
    try:
        return int(opener(pid))
    except OSError:
        return None


def usage(pids: Iterable[int]) -> Usage:
    """Add up threads and resident memory; processes that are gone or zombies count nothing."""
    tasks = rss = 0
    for pid in pids:
        try:
            stat = (_PROC / str(pid) / "stat").read_text()
        except OSError:
            continue
        fields = stat.rpartition(")")[2].split()
        if fields[_STATE] not in "ZX":
            tasks += int(fields[_THREADS])
            rss += int(fields[_RSS]) * _PAGE
    return Usage(tasks, rss)


def proportional_bytes(pids: Iterable[int]) -> int:
    """Add up memory with shared pages divided among those that share them; slow, and exact."""
    total = 0
    for pid in pids:
        try:
            lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return total


def _children(thread: Path) -> list[int]:
    try:
        return [int(pid) for pid in (thread / "children").read_text().split()]
    except OSError:
        return []


def all_processes() -> list[int]:
    """List every process of the machine that can be seen."""
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def environment(pid: int) -> bytes:
    """Read a process's initial environment; empty if it is gone or another user's."""
    try:
        return (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return b""
