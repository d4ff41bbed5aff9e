"""Run a program's steps: order each, and make of its end and its report what counts."""

from __future__ import annotations

import json
import signal
from typing import Protocol

from mftbench.contract import Execution, Limits, Outcome, Program, Step, StepResult
from mftbench.errors import SandboxError
from mftbench.sandbox.order import Ended, Exit, Limit, Order, Role
from mftbench.sandbox.proof import new_nonce, read_report
from mftbench.sandbox.runners import require_runner


class Executor(Protocol):
    """A backend's way of carrying out steps, here or elsewhere."""

    def require(self, language: str) -> None:
        """Raise MissingLanguageError if nothing here can run the language."""

    def carry_out(self, order: Order) -> Ended:
        """Carry out one step. Raises SandboxError or OSError if that failed."""


def run_program(executor: Executor, program: Program, limits: Limits) -> Execution:
    """Run the steps in order until a required one does not pass. Raises SandboxError."""
    executor.require(program.language)
    limits = program.limits or limits
    results: list[StepResult] = []
    for step in program.steps:
        result = _run_step(executor, program.language, step, limits)
        results.append(result)
        if step.required and not _passed(result):
            break
    return Execution(tuple(results))


def _run_step(executor: Executor, language: str, step: Step, limits: Limits) -> StepResult:
    steps = [step] if step.peer is None else [step, step.peer]
    for one in steps:
        require_runner(one.runner)
    roles = [Role(one.runner, json.dumps(one.request).encode("ascii")) for one in steps]
    order = Order(language, roles, limits, new_nonce())
    try:
        ended = executor.carry_out(order)
    except OSError as error:
        raise SandboxError(f"step {step.name!r} could not be run: {error}") from error
    return _result(step, ended, order.nonce)


# ---------------------------------------------------------------- what came of it


def _result(step: Step, ended: Ended, nonce: str) -> StepResult:
    own, *others = ended.exits
    peer = others[0] if others else None
    limit = ended.limit or _limit_by_signal(own) or _limit_by_signal(peer)
    report = read_report(ended.report, nonce)
    passed = report is not None and report.outcome is Outcome.PASSED
    # A peer that crashed explains what the step could only see as silence.
    crash = None if passed or peer is None else peer.signal
    number = own.signal if own is not None and own.signal is not None else crash
    return StepResult(
        name=step.name,
        exit_code=own.code if own is not None and limit is None and number is None else None,
        stdout=ended.stdout,
        stderr=ended.stderr,
        dropped_bytes=ended.dropped_bytes,
        signal=number,
        limit=limit,
        report=None if limit is not None else report,
        in_process=step.in_process,
    )


def _limit_by_signal(end: Exit | None) -> Limit | None:
    """Processor time ends a process by SIGXCPU."""
    return "timeout" if end is not None and end.signal == signal.SIGXCPU else None


def _passed(result: StepResult) -> bool:
    return (
        result.exit_code == 0
        and result.report is not None
        and result.report.outcome is Outcome.PASSED
    )
