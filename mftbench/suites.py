"""Programs that run one source text under one trusted test suite, and the judge for them.

The suite travels in a problem's facts, so a task's ``program`` needs only the completion's source.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from mftbench.contract import Execution, JsonValue, Limits, Outcome, Problem, Program, Step, Verdict
from mftbench.sandbox.verdict import verdict_of
from mftbench.suites_go import go_file

__all__ = [
    "COMPILED_LIMITS",
    "PROGRAMS",
    "Case",
    "Suite",
    "compiled_program",
    "entry_point",
    "javascript_asserts",
    "javascript_program",
    "judge_suite",
    "no_code",
    "python_asserts",
    "python_program",
    "texts",
]


# A compiler and what it compiled: they take longer and need more memory than an interpreter.
COMPILED_LIMITS = Limits(wall_s=30.0, cpu_s=30.0, memory_mb=1024, files_mb=128, processes=128)


class Case(Protocol):
    """One call of a function and what it must return."""

    @property
    def args(self) -> tuple[JsonValue, ...]:
        """The arguments, in order."""
        ...

    @property
    def expected(self) -> JsonValue:
        """The value that it must return."""
        ...


@dataclass(frozen=True)
class Suite:
    """A trusted test source and the names that it calls.

    ``checks`` is how many checks it executes, or None where that depends on the suite's own loops.
    ``in_process`` runs it in the candidate's process: only for what no pipe can carry (classes).
    """

    text: str
    entry_points: tuple[str, ...]
    checks: int | None = None
    in_process: bool = False

    def facts(self) -> dict[str, JsonValue]:
        """Write the suite as facts of a problem."""
        return {
            "suite": self.text,
            "entry_points": list(self.entry_points),
            "checks": self.checks,
            "in_process": self.in_process,
        }


def python_program(problem: Problem, source: str) -> Program | Verdict:
    """Run Python source under the problem's suite, the checker outside the candidate's process.

    Where the facts say ``in_process`` the two share one, and the verdict is labelled so.
    """
    if not source.strip():
        return no_code()
    facts = problem.facts
    names = {"entry_points": facts["entry_points"]}
    suite = {"suite": facts["suite"], "expected_checks": facts.get("checks"), **names}
    if facts.get("in_process"):
        request = {"source": source, **suite}
        step = Step("check", "python/inprocess.py", request, in_process=True)
    else:
        candidate = Step("candidate", "python/candidate.py", {"source": source, **names})
        step = Step("check", "python/check.py", suite, peer=candidate)
    return Program("python", (step,))


def javascript_program(problem: Problem, source: str) -> Program | Verdict:
    """Run JavaScript source under the problem's suite, both in one Node.js process."""
    if not source.strip():
        return no_code()
    facts = problem.facts
    request = {
        "source": source,
        "suite": facts["suite"],
        "entry_points": facts["entry_points"],
        "expected_checks": facts.get("checks"),
    }
    return Program("javascript", (Step("check", "node/check.js", request, in_process=True),))


def compiled_program(language: str) -> Callable[[Problem, str], Program | Verdict]:
    """Give the function that runs a compiled language's source under the problem's suite.

    Both are compiled into one program, so its verdicts are labelled in-process.
    """

    def program(problem: Problem, source: str) -> Program | Verdict:
        if not source.strip():
            return no_code()
        complete = _COMPLETIONS.get(language, str)
        request = {"source": complete(source), "suite": complete(str(problem.facts["suite"]))}
        step = Step("check", f"{language}/check.py", request, in_process=True)
        return Program(language, (step,), COMPILED_LIMITS)

    return program


_COMPLETIONS: Mapping[str, Callable[[str], str]] = {"go": go_file}

PROGRAMS: Mapping[str, Callable[[Problem, str], Program | Verdict]] = {
    "python": python_program,
    "javascript": javascript_program,
    **{language: compiled_program(language) for language in ("cpp", "java", "go", "rust")},
}
"""How a source text of each language is run under the suite in a problem's facts."""


def judge_suite(problem: Problem, execution: Execution) -> Verdict:
    """Take the verdict of the step that ended the program."""
    return verdict_of(execution.steps[-1])


def no_code() -> Verdict:
    """Give the verdict on a completion in which no code was found."""
    return Verdict(Outcome.NO_CODE, "no code in the completion")


def entry_point(problem: Problem) -> str:
    """Name the function that the problem's suite calls first."""
    return texts(problem, "entry_points")[0]


def texts(problem: Problem, fact: str) -> tuple[str, ...]:
    """Read a fact that is a list of texts."""
    value = problem.facts[fact]
    if not isinstance(value, list):
        raise TypeError(f"fact {fact!r} of problem {problem.id} is not a list")
    return tuple(map(str, value))


def python_asserts(name: str, cases: Iterable[Case]) -> str:
    """Write one ``assert`` line for each case."""
    return "".join(
        f"assert {name}({', '.join(map(repr, case.args))}) == {case.expected!r}\n" for case in cases
    )


def javascript_asserts(name: str, cases: Iterable[Case]) -> str:
    """Write one strict deep comparison for each case."""
    return "".join(
        f"assert.deepStrictEqual({name}({', '.join(map(json.dumps, case.args))}),"
        f" {json.dumps(case.expected)});\n"
        for case in cases
    )
