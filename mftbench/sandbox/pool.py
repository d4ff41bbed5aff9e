"""Run many programs at once in one sandbox, and retry what the sandbox itself got wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from mftbench.contract import Execution, Limits, Program
from mftbench.errors import SandboxError
from mftbench.sandbox.backend import Sandbox
from mftbench.sandbox.runtimes import MissingLanguageError

_BACKOFF_S = 0.2
Outcome = Execution | SandboxError


@dataclass(frozen=True)
class Job:
    """One program to run, under the id that its result is given back with."""

    id: str
    program: Program


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


def run_all(
    sandbox: Sandbox,
    jobs: Sequence[Job],
    limits: Limits,
    workers: int,
    retries: int = 2,
    *,
    running: Running | None = None,
) -> Iterator[tuple[str, Outcome]]:
    """Yield each job's execution as it finishes, or the SandboxError that outlived all retries.

    On an exception of the consumer, Ctrl-C included, jobs not begun are dropped and the sandbox is
    closed, so nothing is left running.
    """
    running = running or Running()

    def run(job: Job) -> Outcome:
        running.begin(job.id)
        try:
            return _attempt(sandbox, job.program, limits, retries)
        finally:
            running.end(job.id)

    pool = ThreadPoolExecutor(max(1, workers), thread_name_prefix="sandbox")
    finished = False
    try:
        pending = {pool.submit(run, job): job.id for job in jobs}
        yield from _as_finished(pending)
        finished = True
    finally:
        if not finished:
            pool.shutdown(wait=False, cancel_futures=True)
            sandbox.close()
        pool.shutdown()


def _attempt(sandbox: Sandbox, program: Program, limits: Limits, retries: int) -> Outcome:
    for attempt in range(retries + 1):
        try:
            return sandbox.run(program, limits)
        except MissingLanguageError as error:
            return error
        except SandboxError as error:
            if attempt == retries:
                return error
            time.sleep(_BACKOFF_S * 2**attempt)
    raise AssertionError("retries is negative")


def _as_finished(pending: dict[Future[Outcome], str]) -> Iterator[tuple[str, Outcome]]:
    while pending:
        done, _ = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            yield pending.pop(future), future.result()
