"""The fake: executions that were written down beforehand, for tests that need no processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from mftbench.contract import Execution, Limits, Outcome, Program, Report, Step, StepResult
from mftbench.errors import SandboxError
from mftbench.sandbox.backend import Probe

Answer = Execution | SandboxError


def passing(program: Program) -> Execution:
    """Answer that every step passed one check."""
    return Execution(tuple(_passed(step) for step in program.steps))


class Scripted:
    """Answer programs from a function or, in order, from a list; errors in it are raised."""

    name = "scripted"
    retry_after_s = 0.0

    def __init__(self, answers: Callable[[Program], Answer] | Iterable[Answer] = passing) -> None:
        self.programs: list[Program] = []
        self.closed = False
        self._answers = answers if callable(answers) else _in_order(answers)

    def probe(self) -> Probe:
        """Say that it works, with every language."""
        return Probe(True, "scripted", {"python": "0", "javascript": "0", "sql": "0"})

    def images(self) -> Mapping[str, str]:
        """Give nothing: there is no image."""
        return {}

    def run(self, program: Program, limits: Limits) -> Execution:
        """Give the next answer and remember the program."""
        self.programs.append(program)
        answer = self._answers(program)
        if isinstance(answer, SandboxError):
            raise answer
        return answer

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


def _in_order(answers: Iterable[Answer]) -> Callable[[Program], Answer]:
    remaining = iter(answers)

    def answer(program: Program) -> Answer:
        try:
            return next(remaining)
        except StopIteration:
            raise SandboxError("the script has no answer left") from None

    return answer


def _passed(step: Step) -> StepResult:
    report = Report(Outcome.PASSED, checks=1, expected_checks=1)
    return StepResult(step.name, 0, report=report, in_process=step.in_process)
