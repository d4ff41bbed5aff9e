"""Run many programs at once in one sandbox, and retry what the sandbox itself got wrong.

The longest go first, as far as it is known which those are: what begins last then ends soon.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from mftbench.contract import Execution, Limits, Program
from mftbench.errors import SandboxError
from mftbench.sandbox.backend import Sandbox, UnusableError
from mftbench.sandbox.calibration import Gold, GoldTimes, run_calibrated

_TICK_S = 1.0
Outcome = Execution | SandboxError


@dataclass(frozen=True)
class Job:
    """One program to run, under the id that its result is given back with.

    ``gold`` calibrates its time limit; without it the limit is as it is.
    """

    id: str
    program: Program
    gold: Gold | None = None


class Running:
    """What is being run at this moment; ask it from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}

    def oldest(self) -> tuple[str, float] | None:
        """Name the job that has been running longest and for how many seconds, or None."""
        with self._lock:
            if not self._since:
                return None
            job = min(self._since, key=self._since.__getitem__)
            return job, time.monotonic() - self._since[job]

    def begin(self, job: str) -> None:
        """Note that a job has begun."""
        with self._lock:
            self._since[job] = time.monotonic()

    def end(self, job: str) -> None:
        """Note that a job has ended."""
        with self._lock:
            self._since.pop(job, None)


@dataclass(frozen=True)
class Watching:
    """How a caller follows a run: what is running, and a call every second while it waits."""

    running: Running = field(default_factory=Running)
    tick: Callable[[], None] = lambda: None


def run_all(
    sandbox: Sandbox,
    jobs: Sequence[Job],
    limits: Limits,
    workers: int,
    retries: int = 4,
    *,
    times: GoldTimes | None = None,
    watching: Watching | None = None,
) -> Iterator[tuple[str, Outcome]]:
    """Yield each job's execution as it finishes, or the SandboxError that outlived all retries.

    On an exception of the consumer, Ctrl-C included, jobs not begun are dropped and the sandbox is
    closed, so nothing is left running.
    """
    times, watching = times or GoldTimes(), watching or Watching()
    running = watching.running

    def run(job: Job) -> Outcome:
        running.begin(job.id)
        try:
            return _attempt(
                lambda: run_calibrated(sandbox, job.program, limits, job.gold, times),
                retries,
                sandbox.retry_after_s,
            )
        finally:
            running.end(job.id)

    pool = ThreadPoolExecutor(max(1, workers), thread_name_prefix="sandbox")
    finished = False
    try:
        pending = {pool.submit(run, job): job.id for job in _longest_first(jobs, times)}
        yield from _as_finished(pending, watching.tick)
        finished = True
    finally:
        if not finished:
            pool.shutdown(wait=False, cancel_futures=True)
            sandbox.close()
        pool.shutdown()


def _longest_first(jobs: Sequence[Job], times: GoldTimes) -> list[Job]:
    """Order jobs by what their problems took before; those of unknown length keep their order."""
    return sorted(jobs, key=lambda job: -times.expected(job.gold.problem) if job.gold else 0.0)


def _attempt(run: Callable[[], Execution], retries: int, retry_after_s: float) -> Outcome:
    for attempt in range(retries + 1):
        try:
            return run()
        except UnusableError as error:
            return error
        except SandboxError as error:
            if attempt == retries:
                return error
            time.sleep(retry_after_s * 2**attempt)
    raise AssertionError("retries is negative")


def _as_finished(
    pending: dict[Future[Outcome], str], tick: Callable[[], None]
) -> Iterator[tuple[str, Outcome]]:
    while pending:
        done, _ = wait(pending, timeout=_TICK_S, return_when=FIRST_COMPLETED)
        if not done:
            tick()
        for future in done:
            yield pending.pop(future), future.result()
