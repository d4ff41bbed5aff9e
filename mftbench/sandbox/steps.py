"""Run a program's steps in a jail: pipes, nonce, processes, supervision, proof."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass

from mftbench.contract import Execution, Limits, Outcome, Program, Report, Step, StepResult
from mftbench.errors import SandboxError
from mftbench.sandbox.cell import Exit, Jail, Launch
from mftbench.sandbox.proof import Ends, message_file, new_nonce, read_report
from mftbench.sandbox.runtimes import require_language
from mftbench.sandbox.supervise import End, Group, Limit, supervise


def run_program(jail: Jail, program: Program, limits: Limits) -> Execution:
    """Run the steps in order until a required one does not pass. Raises SandboxError."""
    require_language(program.language)
    limits = program.limits or limits
    results: list[StepResult] = []
    for step in program.steps:
        result = run_step(jail, step, limits)
        results.append(result)
        if step.required and not _passed(result):
            break
    return Execution(tuple(results))


def run_step(jail: Jail, step: Step, limits: Limits) -> StepResult:
    """Run one step and its peer to the end. Raises SandboxError if they could not be started."""
    nonce = new_nonce()
    group = Group()
    try:
        with ExitStack() as kept:
            kept.callback(group.end)
            with ExitStack() as handed:
                _Start(jail, limits, group, kept, handed).both(step, nonce)
            end = supervise(group, limits, time.monotonic() + limits.wall_s)
    except OSError as error:
        raise SandboxError(f"step {step.name!r} could not be run: {error}") from error
    return _result(step, group, end, read_report(bytes(group.report), nonce))


@dataclass(frozen=True)
class _Start:
    """Starting the processes of one step: ``handed`` closes here what only they shall hold."""

    jail: Jail
    limits: Limits
    group: Group
    kept: ExitStack
    handed: ExitStack

    def both(self, step: Step, nonce: str) -> None:
        """Start the step and its peer. Only the step gets the nonce and the report pipe."""
        report_end, report = self._pipe(self.kept)
        self.group.collect_report(report_end)
        if step.peer is None:
            self._one(step, Ends(report=report), nonce)
            return
        peer_inbox, to_peer = self._pipe(self.handed)
        inbox, from_peer = self._pipe(self.handed)
        self._one(step, Ends(report=report, inbox=inbox, outbox=to_peer), nonce)
        self._one(step.peer, Ends(inbox=peer_inbox, outbox=from_peer), None)

    def _one(self, step: Step, ends: Ends, nonce: str | None) -> None:
        stdin = message_file(step.request, self.limits, ends, nonce, self.jail.own_users)
        self.handed.callback(os.close, stdin)
        stdout_end, stdout = self._pipe(self.kept)
        stderr_end, stderr = self._pipe(self.kept)
        launch = Launch(step.runner, stdin, stdout, stderr, ends.numbers(), self.limits)
        self.group.cells.append(self.jail.start(launch))
        self.group.capture(stdout_end)
        self.group.capture(stderr_end)

    def _pipe(self, readers: ExitStack) -> tuple[int, int]:
        reader, writer = os.pipe()
        readers.callback(os.close, reader)
        self.handed.callback(os.close, writer)
        return reader, writer


# ---------------------------------------------------------------- what came of it


def _result(step: Step, group: Group, end: End, report: Report | None) -> StepResult:
    own, *others = end.exits
    peer = others[0] if others else None
    limit = end.limit or _limit_by_signal(own) or _limit_by_signal(peer)
    passed = report is not None and report.outcome is Outcome.PASSED
    # A peer that crashed explains what the step could only see as silence.
    crash = None if passed or peer is None else peer.signal
    number = own.signal if own is not None and own.signal is not None else crash
    texts = [capture.text() for capture in group.captures]
    return StepResult(
        name=step.name,
        exit_code=own.code if own is not None and limit is None and number is None else None,
        stdout="".join(texts[0::2]),
        stderr="".join(texts[1::2]),
        dropped_bytes=sum(capture.dropped for capture in group.captures),
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
