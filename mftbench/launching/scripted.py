"""The fake launcher: runs nothing, and ends each job as a script says, on a clock of its own."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from mftbench.errors import UsageError
from mftbench.launching.launcher import Job, Needs, State, Status


@dataclass(frozen=True)
class Played:
    """How a job goes: how long it takes, and how it ends."""

    seconds: float = 0.0
    status: Status = field(default_factory=lambda: Status(State.ENDED))
    log: str = ""


@dataclass(frozen=True)
class _Entry:
    job: Job
    played: Played


class ScriptedLauncher:
    """Play jobs on ``room``, first come first served where one fits, without running anything.

    ``script`` is asked once for every submission. Time passes by ``tick``, to the next end of a
    job. ``now`` is in seconds, ``busy`` in processor and GPU seconds that were used.
    """

    name = "scripted"

    def __init__(
        self, script: Callable[[Job], Played] = lambda _: Played(), room: Needs | None = None
    ) -> None:
        self.now = 0.0
        self.busy = {"cpus": 0.0, "gpus": 0.0}
        self.submitted: list[Job] = []
        self._script = script
        self._cpus, self._gpus = (room.cpus, room.gpus) if room else (10**9, 10**9)
        self._room = room
        self._waiting: dict[str, _Entry] = {}
        self._running: dict[str, _Entry] = {}
        self._ends: list[tuple[float, str]] = []
        self._over: dict[str, Status] = {}
        self._logs: dict[str, str] = {}

    def submit(self, job: Job) -> None:
        """Take a job and begin it at once if there is room."""
        if self._room and (job.needs.cpus > self._room.cpus or job.needs.gpus > self._room.gpus):
            raise UsageError(f"job {job.name!r} needs {job.needs}; there is only {self._room}")
        self.submitted.append(job)
        self._over.pop(job.name, None)
        self._waiting[job.name] = _Entry(job, self._script(job))
        self._begin()

    def poll(self, name: str) -> Status:
        """Say how the job stands; jobs that take no time are over at once."""
        self._end_until(self.now)
        if name in self._over:
            return self._over[name]
        return Status(State.RUNNING if name in self._running else State.WAITING)

    def tick(self) -> None:
        """Let time pass until the next job ends."""
        if self._ends:
            self._end_until(self._ends[0][0])

    def cancel(self, name: str) -> None:
        """End the job where it stands."""
        entry = self._running.pop(name, None)
        if entry:
            self._free(entry.job.needs)
        if entry or self._waiting.pop(name, None):
            self._over[name] = Status(State.CANCELLED)
        self._begin()

    def logs(self, name: str) -> str:
        """Give the log that the script wrote."""
        return self._logs.get(name, "")

    def close(self) -> None:
        """Cancel what is not over."""
        for name in [*self._waiting, *self._running]:
            self.cancel(name)

    def _begin(self) -> None:
        for name, entry in list(self._waiting.items()):
            if self._cpus <= 0 and self._gpus <= 0:
                return
            needs = entry.job.needs
            if needs.cpus <= self._cpus and needs.gpus <= self._gpus:
                del self._waiting[name]
                self._cpus, self._gpus = self._cpus - needs.cpus, self._gpus - needs.gpus
                self._running[name] = entry
                self._logs[name] = entry.played.log
                heapq.heappush(self._ends, (self.now + entry.played.seconds, name))

    def _end_until(self, moment: float) -> None:
        while self._ends and self._ends[0][0] <= moment:
            self.now, name = heapq.heappop(self._ends)
            entry = self._running.pop(name, None)
            if entry is None:  # cancelled meanwhile
                continue
            self._free(entry.job.needs)
            self.busy["cpus"] += entry.job.needs.cpus * entry.played.seconds
            self.busy["gpus"] += entry.job.needs.gpus * entry.played.seconds
            self._over[name] = entry.played.status
            self._begin()

    def _free(self, needs: Needs) -> None:
        self._cpus, self._gpus = self._cpus + needs.cpus, self._gpus + needs.gpus
