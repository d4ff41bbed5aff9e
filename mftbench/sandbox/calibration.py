"""Time limits that follow the gold: a program that is slow on this machine is not a wrong answer.

A program may take the limit, or four times what its problem's gold takes, up to a cap (the factor
is EvalPlus's, arXiv 2305.01210). The gold is measured only where a program ran into the limit, so
on a machine that is fast enough nothing is run twice, and no verdict depends on the machine.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace

from mftbench.contract import Execution, Limits, Outcome, Program
from mftbench.sandbox.backend import Sandbox
from mftbench.sandbox.verdict import verdict_of

FACTOR = 4.0
CAP_S = 60.0


@dataclass(frozen=True)
class Gold:
    """A problem's gold program, under the name of its problem."""

    problem: str
    program: Program


class GoldTimes:
    """Seconds that problems' right programs took in one sandbox; ask from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._measured: dict[str, float] = {}
        self._seen: dict[str, float] = {}

    def expected(self, problem: str) -> float:
        """Guess what a program of a problem takes: 0 where none was seen to pass."""
        with self._lock:
            return max(self._measured.get(problem, 0.0), self._seen.get(problem, 0.0))

    def see(self, problem: str, seconds: float) -> None:
        """Note what a program took that passed."""
        with self._lock:
            self._seen[problem] = max(seconds, self._seen.get(problem, 0.0))

    def measure(self, sandbox: Sandbox, gold: Gold, limits: Limits) -> float:
        """Give the seconds that a gold takes, measured once; 0 if it does not pass within the cap.

        Raises SandboxError.
        """
        with self._lock:
            known = self._measured.get(gold.problem)
        if known is not None:
            return known
        patient = replace(gold.program, limits=longer(gold.program.limits or limits, CAP_S))
        begin = time.monotonic()
        execution = sandbox.run(patient, limits)
        passed = all(verdict_of(step).passed for step in execution.steps)
        seconds = time.monotonic() - begin if passed else 0.0
        with self._lock:
            return self._measured.setdefault(gold.problem, seconds)


def run_calibrated(
    sandbox: Sandbox, program: Program, limits: Limits, gold: Gold | None, times: GoldTimes
) -> Execution:
    """Run a program; again with the gold's share of time where the plain limit was too short.

    Raises SandboxError.
    """
    begin = time.monotonic()
    execution = sandbox.run(program, limits)
    if gold is None:
        return execution
    if execution.steps and verdict_of(execution.steps[-1]).passed:
        times.see(gold.problem, time.monotonic() - begin)
    if not any(verdict_of(step).outcome is Outcome.TIMEOUT for step in execution.steps):
        return execution
    plain = program.limits or limits
    wanted = min(CAP_S, FACTOR * times.measure(sandbox, gold, limits))
    if wanted <= plain.wall_s:
        return execution
    return sandbox.run(replace(program, limits=longer(plain, wanted)), limits)


def longer(limits: Limits, seconds: float) -> Limits:
    """Allow at least so many seconds, by the wall and of processor time."""
    return replace(limits, wall_s=max(limits.wall_s, seconds), cpu_s=max(limits.cpu_s, seconds))
