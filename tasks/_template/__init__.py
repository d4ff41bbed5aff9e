"""my_task: a Python function from one sentence. Change this line, then what is below it."""

from dataclasses import dataclass
from pathlib import Path

from mftbench.contract import Example, Problem, Program, Prompt, Source, Task, Verdict
from mftbench.extraction import PYTHON, extract
from mftbench.sources.jsonl import digest, read_rows
from mftbench.suites import Suite, entry_point, judge_suite, python_program

ROWS = Path(__file__).with_name("rows.jsonl")


@dataclass(frozen=True)
class Row:
    """One line of rows.jsonl: a row with tests is a problem, one without is learned from."""

    id: str
    prompt: str
    answer: str
    function: str = ""
    tests: tuple[str, ...] = ()


def examples() -> list[Example]:
    """What to learn from."""
    rows = read_rows(ROWS, Row)
    return [Example(row.id, row.prompt, row.answer) for row in rows if not row.tests]


def problems() -> list[Problem]:
    """What to ask, with the answer that passes and the tests that say so."""
    rows = [row for row in read_rows(ROWS, Row) if row.tests]
    return [Problem(row.id, row.prompt, row.answer, suite(row).facts()) for row in rows]


def suite(row: Row) -> Suite:
    """Check a problem by its asserts."""
    return Suite("\n".join(row.tests), (row.function,), checks=len(row.tests))


def own() -> Source:
    """Name the data set, and say whose it is."""
    return Source("own", "Apache-2.0", "this task", examples, problems, lambda: digest(ROWS))


def program(problem: Problem, completion: str) -> Program | Verdict:
    """Say what to run for a completion; whatever it holds, never raise."""
    return python_program(problem, extract(completion, PYTHON, entry_point(problem)))


TASK = Task(
    name="my_task",
    version=1,
    summary="a Python function from one sentence",
    sources={"own": own},
    prompt=Prompt(template="# {prompt}\n", stop=("\n# ",), max_new_tokens=128),
    program=program,
    judge=judge_suite,
)
