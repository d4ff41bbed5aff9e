"""Run units through a launcher, each when its inputs are there, until nothing more can be made."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from mftbench.launching.launcher import Job, Launcher, State, Status
from mftbench.launching.live import last_progress
from mftbench.launching.report import Fault, Report, from_output
from mftbench.launching.units import Unit
from mftbench.progress import Progress
from mftbench.store import Store

_ATTEMPTS = 3


@dataclass
class Driven:
    """What driving came to. ``faults`` are by key, also those of keys that lacked their input."""

    made: int = 0
    found: int = 0
    faults: dict[str, Fault] = field(default_factory=dict)


@dataclass(frozen=True)
class Driver:
    """How units become jobs, and who is told. ``pause`` lets time pass between two looks."""

    launcher: Launcher
    store: Store
    job_of: Callable[[Unit], Job]
    progress: Progress
    pause: Callable[[], None] = lambda: time.sleep(0.2)

    def drive(self, units: Sequence[Unit]) -> Driven:
        """Make all that is missing of the units.

        A unit whose job is lost is submitted again, up to three times. What needs an artifact that
        could not be made is not tried. A fault of the store ends everything.

        On an exception of the caller, Ctrl-C included, jobs that are not over are cancelled.
        """
        state = _State(self, {unit.name: unit for unit in units})
        self.progress.start("units", len(units))
        try:
            while state.waiting or state.running:
                state.submit_ready()
                if state.running and not state.take_ended():
                    self.pause()
                self.progress.advance(state.take_finished(), state.note())
        finally:
            self.launcher.close()
        self.progress.finish()
        return state.driven


@dataclass
class _State:
    """What a drive has done so far: units wait, run, and are over when they are in neither."""

    driver: Driver
    waiting: dict[str, Unit]
    running: dict[str, Unit] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    pending: dict[str, set[str]] = field(default_factory=dict)
    dependents: dict[str, list[str]] = field(default_factory=dict)
    ready: deque[str] = field(default_factory=deque)
    finished: int = 0
    driven: Driven = field(default_factory=Driven)

    def __post_init__(self) -> None:
        """Note which units each one waits for, and which wait for it."""
        owner = {key: unit.name for unit in self.waiting.values() for key in unit.keys}
        for unit in self.waiting.values():
            inputs = {before for befores in unit.inputs.values() for before in befores}
            self.pending[unit.name] = {owner[before] for before in inputs}
            for before in self.pending[unit.name]:
                self.dependents.setdefault(before, []).append(unit.name)
        self.ready.extend(name for name in self.waiting if not self.pending[name])

    def submit_ready(self) -> None:
        """Submit what waits for nothing; what is stored already, or cannot be made, is finished."""
        while self.ready:
            name = self.ready.popleft()
            part = self._possible(self.waiting.pop(name))
            if part.inputs:
                self.running[name] = part
                self.driver.launcher.submit(self.driver.job_of(part))
            else:
                self._finish(name)

    def take_ended(self) -> bool:
        """Take in what has ended since the last look; say whether anything has."""
        ended = False
        for name, unit in list(self.running.items()):
            status = self.driver.launcher.poll(name)
            if not status.over:
                continue
            ended = True
            self.attempts[name] = self.attempts.get(name, 0) + 1
            if status.state is State.LOST and self.attempts[name] < _ATTEMPTS:
                self.driver.launcher.submit(self.driver.job_of(unit))
                continue
            self._absorb(unit, self._report(unit, status))
            del self.running[name]
            self._finish(name)
        return ended

    def take_finished(self) -> int:
        """Give how many units have finished since the last call."""
        finished, self.finished = self.finished, 0
        return finished

    def note(self) -> str:
        """Say what is running, and how far the first of it is."""
        if not self.running:
            return ""
        name, unit = next(iter(self.running.items()))
        others = f" and {len(self.running) - 1} more" if len(self.running) > 1 else ""
        return f"{unit.label}{last_progress(self.driver.launcher.logs(name))}{others}"

    def _finish(self, name: str) -> None:
        self.finished += 1
        for dependent in self.dependents.pop(name, ()):
            self.pending[dependent].discard(name)
            if not self.pending[dependent]:
                self.ready.append(dependent)

    def _possible(self, unit: Unit) -> Unit:
        """Narrow a unit to the keys that are still to make and have their inputs."""
        faults, has = self.driven.faults, self.driver.store.has
        todo: dict[str, tuple[str, ...]] = {}
        for key, inputs in unit.inputs.items():
            if has(unit.stage, key):
                self.driven.found += 1
            elif bad := [faults[before] for before in inputs if before in faults]:
                faults[key] = bad[0]
            else:
                todo[key] = inputs
        return replace(unit, inputs=todo)

    def _report(self, unit: Unit, status: Status) -> Report:
        """Read what the job said at its end, or say what became of a job that said nothing.

        What it had stored until then is made.
        """
        report = from_output(status.output) if status.state is State.ENDED else None
        if report is not None:
            return report
        ended = f"ended with exit code {status.exit_code}"
        how = ended if status.state is State.ENDED else f"was {status.state}"
        last = self.driver.launcher.logs(unit.name).strip().rpartition("\n")[2]
        message = ": ".join(filter(None, (f"{unit.label} {how}", status.reason, last)))
        lacking = [key for key in unit.keys if not self.driver.store.has(unit.stage, key)]
        faults = dict.fromkeys(lacking, Fault("EngineError", message))
        return Report(made=len(unit.keys) - len(lacking), faults=faults)

    def _absorb(self, unit: Unit, report: Report) -> None:
        self.driven.made += report.made
        self.driven.found += report.found
        self.driven.faults |= report.faults
        for fault in report.faults.values():
            if fault.fatal:
                raise fault.error()
