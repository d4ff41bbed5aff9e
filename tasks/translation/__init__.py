"""Code translation: a Python function to the same function in JavaScript."""

from mftbench.contract import JsonValue, Problem, Program, Prompt, Task, Verdict
from mftbench.extraction import JAVASCRIPT, extract
from mftbench.sources.starter import starter_programs
from mftbench.starter.suite import ProgramItem
from mftbench.suites import (
    Suite,
    entry_point,
    javascript_asserts,
    javascript_program,
    judge_suite,
)


def ask(item: ProgramItem) -> str:
    """Show the Python function."""
    return item.python.rstrip("\n")


def answer(item: ProgramItem) -> str:
    """Give the JavaScript function of the same name."""
    return item.javascript


def facts(item: ProgramItem) -> dict[str, JsonValue]:
    """Check every case of the program, as JavaScript values."""
    text = javascript_asserts(item.name, item.cases)
    return Suite(text, (item.name,), len(item.cases), in_process=True).facts()


def program(problem: Problem, completion: str) -> Program | Verdict:
    """Run the JavaScript that the completion holds."""
    return javascript_program(problem, extract(completion, JAVASCRIPT, entry_point(problem)))


TASK = Task(
    name="translation",
    version=1,
    summary="a Python function to the same function in JavaScript",
    sources={"starter": starter_programs("translation", ask=ask, answer=answer, facts=facts)},
    prompt=Prompt(template="{prompt}\n// JavaScript\n", stop=("\n//", "\nconsole.")),
    program=program,
    judge=judge_suite,
)
