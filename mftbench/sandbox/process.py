"""Plain subprocesses with resource limits: what a machine without namespaces has.

Contains accidents, not malice. Held: time, memory, output and file size limits, an environment of
constants, an own work folder that is removed, the two processes of a Python suite, and on Linux the
end of every process that kept its environment. Not held: programs run as this user, so they can
read and write its files, use its network, signal its processes and read the judging process's
memory; a process that leaves the session and clears its environment outlives its step; the number
of processes is watched, not limited.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mftbench.sandbox import watch
from mftbench.sandbox.cell import Cell, Launch
from mftbench.sandbox.local import RUNNERS, Local
from mftbench.sandbox.namespaces import ENVIRONMENT
from mftbench.sandbox.order import Exit
from mftbench.sandbox.runtimes import command, numpy_folders
from mftbench.sandbox.toolchains import prepared_folder

_MARK = "MFTBENCH_CELL"
_STRAYS_S = 2.0


class Process(Local):
    """Run programs as subprocesses of this user. See the module for what that does not contain."""

    name = "process"
    counts_processes = False
    isolates = False

    def start_cell(self, launch: Launch, folder: Path, forget: Callable[[Cell], None]) -> Cell:
        """Start one runner in its own session and work folder. Raises SandboxError."""
        work = Path(tempfile.mkdtemp(prefix="work-", dir=folder))
        mark = secrets.token_hex(8)
        own = {
            "HOME": str(work),
            "TMPDIR": str(work),
            "PYTHONPATH": str(_packages(folder)),
            "MFTBENCH_PREPARED": str(prepared_folder()),
        }
        process = subprocess.Popen(
            command(launch.runner, folder / RUNNERS, launch.limits),
            stdin=launch.stdin,
            stdout=launch.stdout,
            stderr=launch.stderr,
            pass_fds=launch.inherit,
            env={**ENVIRONMENT, **own, _MARK: mark},
            cwd=work,
            start_new_session=True,
        )
        return _SessionCell(process, mark, work, forget)


def _packages(folder: Path) -> Path:
    """Make a folder that holds NumPy and nothing else, once."""
    packages = folder / "packages"
    if not packages.exists():
        made = Path(tempfile.mkdtemp(dir=folder))
        for path in numpy_folders():
            (made / path.name).symlink_to(path)
        with suppress(OSError):  # another thread was faster
            made.rename(packages)
    return packages


class _SessionCell:
    """One process, its session, and what can be found of its descendants."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        mark: str,
        work: Path,
        forget: Callable[[Cell], None],
    ) -> None:
        self._process = process
        self._mark = f"{_MARK}={mark}".encode()
        self._work = work
        self._forget = forget
        self._lock = threading.Lock()
        self._ended = False

    @property
    def pid(self) -> int:
        """The runner's process."""
        return self._process.pid

    def exit(self) -> Exit | None:
        """Say how it ended, or None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        return Exit(code, None) if code >= 0 else Exit(None, -code)

    def exit_event(self) -> int | None:
        """Open a descriptor that becomes readable at its end, where the system can."""
        return watch.exit_event(self.pid)

    def members(self, at_most: int = 1_000_000) -> Sequence[int]:
        """List the processes that descend from it, as far as they have not left."""
        return watch.descendants(self.pid, at_most)

    def memory_bytes(self, members: Sequence[int]) -> int:
        """Add up their memory, shared pages divided among those that share them."""
        return watch.proportional_bytes(members)

    def end(self) -> None:
        """Kill the session, then what left it but kept its environment."""
        with self._lock:
            if self._ended:
                return
            members = self.members()
            with suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
            _kill(members[1:])
            self._process.wait()
            self._end_strays()
            shutil.rmtree(self._work, ignore_errors=True)
            self._ended = True
        self._forget(self)

    def _end_strays(self) -> None:
        """Kill until none is found: one that forks meanwhile has children that were not listed."""
        patience = time.monotonic() + _STRAYS_S
        while (strays := self._strays()) and time.monotonic() < patience:
            _kill(strays)

    def _strays(self) -> list[int]:
        """Find processes with the cell's mark in their environment (Linux; elsewhere none)."""
        if sys.platform != "linux":
            return []
        return [pid for pid in watch.all_processes() if self._mark in watch.environment(pid)]


def _kill(pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)  # ours only where orphans are adopted
