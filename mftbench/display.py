"""Progress for people and machines: a live line on a terminal, plain lines or JSON elsewhere.

All of it goes to standard error; standard output carries data only.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import TYPE_CHECKING, TextIO

from mftbench.progress import Progress

if TYPE_CHECKING:
    from rich.progress import TaskID


class Lines:
    """One line when a stage starts, one at most every ``every_s`` seconds, one when it ends."""

    def __init__(self, stream: TextIO | None = None, every_s: float = 10.0) -> None:
        self._stream = stream or sys.stderr
        self._every_s = every_s
        self._lock = threading.Lock()
        self._label, self._total, self._done, self._note = "", 0, 0, ""
        self._started = self._printed = 0.0

    def start(self, label: str, total: int) -> None:
        """Begin a stage."""
        with self._lock:
            self._label, self._total, self._done, self._note = label, total, 0, ""
            self._started = self._printed = time.monotonic()

    def advance(self, count: int = 1, note: str = "") -> None:
        """Count finished items and print if it is time to."""
        with self._lock:
            self._done += count
            self._note = note or self._note
            now = time.monotonic()
            if now - self._printed >= self._every_s:
                self._printed = now
                self._print("running")

    def finish(self, note: str = "") -> None:
        """Print the stage's end."""
        with self._lock:
            self._note = note or self._note
            self._print("done")

    def _print(self, state: str) -> None:
        seconds = time.monotonic() - self._started
        self._write(self._format(state, seconds))

    def _format(self, state: str, seconds: float) -> str:
        note = f"  {self._note}" if self._note else ""
        end = f"  {seconds:.1f} s" if state == "done" else ""
        return f"{self._label}: {self._done}/{self._total}{end}{note}"

    def _write(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class JsonLines(Lines):
    """The same events as JSON objects, one a line."""

    def _format(self, state: str, seconds: float) -> str:
        return json.dumps(
            {
                "stage": self._label,
                "state": state,
                "done": self._done,
                "total": self._total,
                "seconds": round(seconds, 1),
                "note": self._note,
            }
        )


class Live(Lines):
    """A rich progress bar that is redrawn in place; finished stages stay as plain lines."""

    def __init__(self) -> None:
        super().__init__(every_s=float("inf"))
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID | None = None

    def start(self, label: str, total: int) -> None:
        """Begin a stage with a fresh bar."""
        super().start(label, total)
        self._clear()
        self._task = self._bar.add_task(label, total=total or None, note="")
        self._bar.start()

    def advance(self, count: int = 1, note: str = "") -> None:
        """Move the bar."""
        super().advance(count, note)
        if self._task is not None:
            self._bar.update(self._task, advance=count, note=self._note)

    def finish(self, note: str = "") -> None:
        """Replace the bar by a line."""
        self._clear()
        super().finish(note)

    def _clear(self) -> None:
        if self._task is not None:
            self._bar.stop()
            self._bar.remove_task(self._task)
            self._task = None


def open_display(as_json: bool = False) -> Progress:
    """Choose a display for where standard error goes."""
    if as_json:
        return JsonLines()
    return Live() if sys.stderr.isatty() else Lines()
