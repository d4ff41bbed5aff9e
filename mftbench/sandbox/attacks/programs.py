"""How an attack of each kind is run, with little patience for what may never end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from mftbench.contract import JsonValue, Limits, Outcome, Problem, Program, Step, Verdict
from mftbench.extraction import PYTHON, extract
from mftbench.sandbox.attacks.attack import ENTRY_POINT, PROMPT, SUITE, Attack
from mftbench.sandbox.attacks.languages import SUITES
from mftbench.sandbox.attacks.sql import SCHEMA
from mftbench.sandbox.attacks.tests import COUNTING
from mftbench.suites import PROGRAMS as SUITE_PROGRAMS
from mftbench.suites import Suite, python_program
from mftbench.suites_plus import PlusSuite, plus_program

LIMITS = Limits(memory_mb=256, files_mb=16)
IMPATIENT = Limits(wall_s=2.0, cpu_s=2.0, memory_mb=256, files_mb=16)
COMPILED = Limits(wall_s=20.0, cpu_s=10.0, memory_mb=768, files_mb=64)
IMPATIENT_COMPILED = replace(COMPILED, cpu_s=3.0)  # the compiler needs some of it

_PROBLEM = Problem("add", PROMPT, "", Suite(SUITE, (ENTRY_POINT,)).facts())
_SUM = "def add(numbers):\n    return sum(numbers)\n"


def attack_program(attack: Attack) -> Program | Verdict:
    """Make an attack's program; a verdict where there is nothing to run."""
    program = PROGRAMS[attack.kind](attack.source)
    if isinstance(program, Verdict):
        return program
    hurried = Outcome.TIMEOUT in attack.expected
    if program.limits is not None:
        return replace(program, limits=IMPATIENT_COMPILED if hurried else COMPILED)
    return replace(program, limits=IMPATIENT if hurried else LIMITS)


def _python(source: str) -> Program | Verdict:
    return python_program(_PROBLEM, source)


def _text(text: str) -> Program | Verdict:
    return python_program(_PROBLEM, extract(text, PYTHON, ENTRY_POINT))


def _in(language: str) -> Callable[[str], Program | Verdict]:
    facts = Suite(SUITES[language], (ENTRY_POINT,)).facts()
    return lambda source: SUITE_PROGRAMS[language](Problem("add", "", "", facts), source)


def _plus(source: str) -> Program | Verdict:
    suite = PlusSuite(_SUM, ENTRY_POINT, [[[1, 2]]], [[[]], [[3, 4]]], 0, "humaneval")
    return plus_program(Problem("add", "", "", suite.facts()), source)


def _tests(text: str) -> Program:
    return Program("python", (_under_test("reference", text, f"{PROMPT}    return x + y\n"),))


def _twins(text: str) -> Program:
    """Run tests on one program as on a reference and its mutant; the last verdict is the twin's."""
    reference = _under_test("reference", text, COUNTING, coverage=True)
    return Program("python", (reference, _under_test("mutant-1", text, COUNTING, coverage=False)))


def _under_test(name: str, text: str, source: str, **asked: JsonValue) -> Step:
    names: dict[str, JsonValue] = {"entry_points": [ENTRY_POINT]}
    peer = Step("tests", "python/tests.py", {"tests": text, **names})
    return Step(name, "python/subject.py", {"source": source, **names, **asked}, peer=peer)


def _sql(text: str) -> Program:
    request: dict[str, JsonValue] = {"schema": SCHEMA, "query": text, "max_rows": 100}
    return Program("sql", (Step("query", "sqlite/query.py", request),))


PROGRAMS: Mapping[str, Callable[[str], Program | Verdict]] = {
    "python": _python,
    "text": _text,
    "plus": _plus,
    "tests": _tests,
    "twins": _twins,
    "sql": _sql,
    **{language: _in(language) for language in SUITES},
}
LANGUAGE_OF: Mapping[str, str] = {
    kind: kind if kind in SUITES or kind == "sql" else "python" for kind in PROGRAMS
}
"""Kind of an attack to the language that the sandbox must have."""
