"""Which program runs a completion's source, and which judge reads it: by a problem's facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mftbench.contract import Execution, Problem, Program, Verdict
from mftbench.languages import LANGUAGES, PYTHON, Language
from mftbench.suites import PROGRAMS, judge_suite
from mftbench.suites_plus import judge_plus, plus_program

__all__ = ["judge_source", "language_of", "source_program"]

_PROGRAMS: Mapping[str, Callable[[Problem, str], Program | Verdict]] = {
    **PROGRAMS,
    "plus": plus_program,
}
_JUDGES: Mapping[str, Callable[[Problem, Execution], Verdict]] = {"plus": judge_plus}


def language_of(problem: Problem) -> Language:
    """Give the language that the problem's answer is in: its fact ``language``, or Python."""
    return LANGUAGES[str(problem.facts.get("language", PYTHON.name))]


def source_program(problem: Problem, source: str) -> Program | Verdict:
    """Run a whole source under the problem's suite; its fact ``checker`` names another kind."""
    return _PROGRAMS[_checker(problem)](problem, source)


def judge_source(problem: Problem, execution: Execution) -> Verdict:
    """Judge what ``source_program`` ran."""
    return _JUDGES.get(_checker(problem), judge_suite)(problem, execution)


def _checker(problem: Problem) -> str:
    return str(problem.facts.get("checker", language_of(problem).name))
