"""What the backends share that start processes on this machine."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from mftbench.contract import Execution, Limits, Program
from mftbench.errors import SandboxError
from mftbench.sandbox.backend import Probe
from mftbench.sandbox.carry_out import carry_out
from mftbench.sandbox.cell import Cell, Launch
from mftbench.sandbox.folders import folder_prefix, remove_left_over_folders
from mftbench.sandbox.order import Ended, Order
from mftbench.sandbox.probing import probe_by_running
from mftbench.sandbox.runners import stage_runners
from mftbench.sandbox.runtimes import languages, require_language
from mftbench.sandbox.steps import run_program

RUNNERS = "runners"


class Local:
    """Run programs in cells of this machine, from many threads at once. Backends say how."""

    name: str
    retry_after_s = 0.2
    counts_processes: bool
    isolates = True
    """Whether programs are kept from this machine: else harmful attacks must not be tried."""
    unheld: ClassVar[Mapping[str, str]] = {}
    """Attacks that it is known not to hold, and why."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cells: set[Cell] = set()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._closed = False

    def start_cell(self, launch: Launch, folder: Path, forget: Callable[[Cell], None]) -> Cell:
        """Start one runner of ``folder / RUNNERS``; the cell calls ``forget`` when it has ended."""
        raise SandboxError(f"sandbox {self.name} starts nothing")

    def probe(self) -> Probe:
        """Say whether programs run, by running a small one."""
        return probe_by_running(self, languages())

    def images(self) -> Mapping[str, str]:
        """Give nothing: programs see this machine's own interpreters."""
        return {}

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
            folder.cleanup()

    def require(self, language: str) -> None:
        """Raise MissingLanguageError if this machine lacks the language's interpreter."""
        require_language(language)

    def carry_out(self, order: Order) -> Ended:
        """Carry out one step in cells of this machine. Raises SandboxError."""
        return carry_out(self, order)

    def start(self, launch: Launch) -> Cell:
        """Start one runner in a cell of its own. Raises SandboxError."""
        cell = self.start_cell(launch, self._open_folder(), self._forget)
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
                remove_left_over_folders()
                self._folder = tempfile.TemporaryDirectory(prefix=folder_prefix(os.getpid()))
                runners = Path(self._folder.name, RUNNERS)
                runners.mkdir()
                stage_runners(runners)
            return Path(self._folder.name)

    def _forget(self, cell: Cell) -> None:
        with self._lock:
            self._cells.discard(cell)
