"""The local launcher: subprocesses side by side, with processors, GPUs and memory divided."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mftbench.errors import UsageError
from mftbench.launching.child import Child, ask_to_end, end, start, sweep
from mftbench.launching.launcher import Job, State, Status
from mftbench.launching.machine import Machine, this_machine


@dataclass(frozen=True)
class _Process:
    job: Job
    child: Child
    gpus: tuple[str, ...]


class LocalLauncher:
    """Run at most ``slots`` jobs at a time, each with its share of the processors.

    A job begins when a slot, its GPUs and its memory are free; memory is not waited for where
    nothing else runs. Standard output and error of every job are files in ``folder``. Jobs end
    with the launcher's process, also when that is killed.
    """

    name = "local"

    def __init__(self, folder: Path, slots: int = 1, machine: Machine | None = None) -> None:
        if slots < 1:
            raise UsageError(f"slots is {slots}; it must be at least 1")
        self.folder = folder
        self.slots = slots
        self.machine = machine or this_machine()
        self._gpus = list(self.machine.gpus)
        self._memory_mb = self.machine.memory_mb
        self._waiting: dict[str, Job] = {}
        self._running: dict[str, _Process] = {}
        self._over: dict[str, Status] = {}

    def submit(self, job: Job) -> None:
        """Take a job and begin it at once if there is room."""
        if job.needs.gpus > len(self.machine.gpus):
            raise UsageError(
                f"job {job.name!r} needs {job.needs.gpus} GPUs and this machine has "
                f"{len(self.machine.gpus)}; lower --gpus or parallel.ranks"
            )
        self._over.pop(job.name, None)
        self._waiting[job.name] = job
        self._begin()

    def poll(self, name: str) -> Status:
        """Say how a job stands, and give the room of those that ended to others."""
        self._reap()
        if name in self._over:
            return self._over[name]
        return Status(State.RUNNING if name in self._running else State.WAITING)

    def cancel(self, name: str) -> None:
        """Ask a job's processes to end, and end them after a few seconds."""
        self._reap()
        process = self._running.get(name)
        if process:
            end(process.child)
            self._release(name)
        if process or self._waiting.pop(name, None):
            self._over[name] = Status(State.CANCELLED)

    def logs(self, name: str) -> str:
        """Read what the job has written to standard error."""
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def close(self) -> None:
        """Cancel everything: all are asked before any is waited for."""
        for process in self._running.values():
            ask_to_end(process.child)
        for name in [*self._waiting, *self._running]:
            self.cancel(name)

    @property
    def threads(self) -> int:
        """Give the processors of one slot."""
        return max(1, self.machine.cpus // self.slots)

    def _begin(self) -> None:
        for name, job in list(self._waiting.items()):
            if len(self._running) >= self.slots:
                return
            if self._has_room(job):
                del self._waiting[name]
                self._start(job)

    def _has_room(self, job: Job) -> bool:
        fits = job.needs.memory_mb <= self._memory_mb or not self._running
        return fits and job.needs.gpus <= len(self._gpus)

    def _start(self, job: Job) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        gpus = tuple(self._gpus[: job.needs.gpus])
        with (
            (self.folder / f"{job.name}.out").open("wb") as output,
            (self.folder / f"{job.name}.log").open("wb") as log,
        ):
            shares = self._environment(gpus) | dict(job.environment)
            process = start(job.command, shares, output, log)
        self._gpus = self._gpus[job.needs.gpus :]
        self._memory_mb -= job.needs.memory_mb
        self._running[job.name] = _Process(job, process, gpus)

    def _environment(self, gpus: tuple[str, ...]) -> dict[str, str]:
        threads = str(self.threads)
        shares = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        return shares | {"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if self.machine.gpus else shares

    def _reap(self) -> None:
        for name, process in list(self._running.items()):
            code = process.child.poll()
            if code is None:
                continue
            output = (self.folder / f"{name}.out").read_text(encoding="utf-8", errors="replace")
            lost = code < 0
            self._over[name] = Status(State.LOST if lost else State.ENDED, code, output)
            sweep(process.child)  # what it left behind in its session
            self._release(name)

    def _release(self, name: str) -> None:
        process = self._running.pop(name)
        self._gpus += process.gpus
        self._memory_mb += process.job.needs.memory_mb
        self._begin()
