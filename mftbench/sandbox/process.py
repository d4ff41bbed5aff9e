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
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mftbench.contract import Execution, Limits, Program
from mftbench.errors import SandboxError
from mftbench.sandbox import watch
from mftbench.sandbox.backend import Probe
from mftbench.sandbox.cell import Cell, Exit, Launch
from mftbench.sandbox.namespaces import ENVIRONMENT
from mftbench.sandbox.probing import probe_by_running
from mftbench.sandbox.runners import stage_runners
from mftbench.sandbox.runtimes import command, languages
from mftbench.sandbox.steps import run_program

_MARK = "MFTBENCH_CELL"


class Process:
    """Run programs as subprocesses of this user. See the module for what that does not contain."""

    name = "process"
    own_users = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cells: set[_SessionCell] = set()
        self._folder: Path | None = None
        self._closed = False

    def probe(self) -> Probe:
        """Say whether programs run, by running a small one."""
        return probe_by_running(self, languages())

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run the program's steps. Raises SandboxError if the sandbox failed, not the program."""
        execution = run_program(self, program, limits)
        if self._closed:  # and so it may have been ended by us
            raise SandboxError("the sandbox is closed")
        return execution

    def close(self) -> None:
        """End whatever runs and remove the folders; what is running then fails."""
        with self._lock:
            self._closed = True
            cells, self._cells = list(self._cells), set()
            folder, self._folder = self._folder, None
        for cell in cells:
            cell.end()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def start(self, launch: Launch) -> Cell:
        """Start one runner in its own session and work folder. Raises SandboxError."""
        folder = self._open_folder()
        work = Path(tempfile.mkdtemp(prefix="work-", dir=folder))
        mark = secrets.token_hex(8)
        environment = {**ENVIRONMENT, "HOME": str(work), "TMPDIR": str(work), _MARK: mark}
        process = subprocess.Popen(
            command(launch.runner, folder / "runners", launch.limits),
            stdin=launch.stdin,
            stdout=launch.stdout,
            stderr=launch.stderr,
            pass_fds=launch.inherit,
            env=environment,
            cwd=work,
            start_new_session=True,
        )
        cell = _SessionCell(process, mark, work, self._forget)
        with self._lock:
            closed = self._closed
            if not closed:
                self._cells.add(cell)
        if closed:
            cell.end()
            raise SandboxError("the sandbox is closed")
        return cell

    def _open_folder(self) -> Path:
        with self._lock:
            if self._closed:
                raise SandboxError("the sandbox is closed")
            if self._folder is None:
                folder = Path(tempfile.mkdtemp(prefix="mftbench-process-"))
                (folder / "runners").mkdir()
                stage_runners(folder / "runners")
                self._folder = folder
            return self._folder

    def _forget(self, cell: _SessionCell) -> None:
        with self._lock:
            self._cells.discard(cell)


class _SessionCell:
    """One process, its session, and what can be found of its descendants."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        mark: str,
        work: Path,
        forget: Callable[[_SessionCell], None],
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

    def members(self, at_most: int = 1_000_000) -> Sequence[int]:
        """List the processes that descend from it, as far as they have not left."""
        return watch.descendants(self.pid, at_most)

    def end(self) -> None:
        """Kill the session, then what left it but kept its environment."""
        with self._lock:
            if self._ended:
                return
            members = self.members()
            with suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
            for pid in {*members[1:], *self._strays()} - {self.pid}:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)  # ours only where orphans are adopted
            self._process.wait()
            shutil.rmtree(self._work, ignore_errors=True)
            self._ended = True
        self._forget(self)

    def _strays(self) -> list[int]:
        """Find processes with the cell's mark in their environment (Linux; elsewhere none)."""
        if sys.platform != "linux":
            return []
        return [pid for pid in watch.all_processes() if self._mark in watch.environment(pid)]
