"""Functions to write tests for: MBPP's and HumanEval's solutions, with mutants that tests can kill.

Which mutants count was found once by running the data set's own tests against them
(``python -m mftbench.sources.screening``): those that such a test fails are not equivalent. The
list, ``killed.json``, holds the mutants' names; nothing of the data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import NonNegativeInt, PositiveInt

from mftbench.contract import Example, JsonValue, Problem, Prompt, Source
from mftbench.mutation import Mutant, mutants
from mftbench.sources import human_eval, mbpp
from mftbench.sources.published import DataFile, First, Published

__all__ = ["CANDIDATES", "Subject", "candidates", "human_eval_tests", "mbpp_tests", "subjects"]

CANDIDATES = 8  # mutants of a subject that are screened
KEPT = 5  # mutants of a subject that generated tests are run against

# Tests may define functions; only another program ends them.
PROMPT = Prompt(template="{prompt}\n\n# Tests\n", stop=("\n# Tests", "\nif __name__"))


@dataclass(frozen=True)
class Subject:
    """A function under test: the whole program, its name, and the data set's own tests of it."""

    id: str
    program: str
    name: str
    tests: str


def mbpp_tests(
    *, train: NonNegativeInt | None = None, problems: PositiveInt | None = None
) -> Source:
    """Open MBPP as test generation: a solution to its asserts.

    ``train`` and ``problems`` take only the first rows.
    """

    def examples() -> Iterator[Example]:
        for each in _mbpp(mbpp.TRAIN_IDS):
            yield Example(each.id, each.program.rstrip(), each.tests)

    return _source(
        mbpp.MBPP, mbpp.FILE, lambda: _mbpp(mbpp.EVALUATION_IDS), examples, First(train, problems)
    )


def human_eval_tests(*, problems: PositiveInt | None = None) -> Source:
    """Open HumanEval as test generation; ``problems`` takes only the first ones."""
    return _source(
        human_eval.HUMAN_EVAL,
        human_eval.FILE,
        _human_eval,
        lambda: (),
        First(problems=problems),
    )


def subjects() -> Iterator[Subject]:
    """Give all subjects that are evaluated on."""
    yield from _mbpp(mbpp.EVALUATION_IDS)
    yield from _human_eval()


def candidates(subject: Subject) -> list[Mutant]:
    """Choose the mutants of a subject that are screened: the first ones by a hash."""
    found = mutants(subject.program)
    found.sort(key=lambda each: hashlib.sha256(f"{subject.id} {each.name}".encode()).digest())
    return found[:CANDIDATES]


def _source(
    about: Published,
    file: DataFile[Any],
    evaluated: Callable[[], Iterable[Subject]],
    train: Callable[[], Iterable[Example]],
    first: First,
) -> Source:
    def questions() -> Iterator[Problem]:
        for subject in evaluated():
            kept = _kept(subject)
            if kept:
                facts: dict[str, JsonValue] = {
                    "entry_points": [subject.name],
                    "reference": subject.program,
                    "mutants": [each.source for each in kept],
                }
                yield Problem(subject.id, subject.program.rstrip(), subject.tests, facts)

    return about.source(
        f"tests {hashlib.sha256(_text().encode()).hexdigest()}",
        (file,),
        train=train,
        problems=questions,
        first=first,
        prompt=PROMPT,
    )


def _mbpp(ids: frozenset[int]) -> Iterator[Subject]:
    rows = mbpp.mbpp_rows()
    for number in sorted(ids & rows.keys()):
        row = rows[number]
        # A setup instantiates the solution's class, which a test cannot reach; and a function that
        # is named like a test would be run as one.
        if not row.setup.strip() and not row.entry_point.startswith("test"):
            yield Subject(
                f"MBPP/{number}", row.source, row.entry_point, "\n".join(row.test_list) + "\n"
            )


def _human_eval() -> Iterator[Subject]:
    for row in human_eval.FILE.rows():
        program = row.prompt + row.canonical_solution
        tests = f"{row.helpers}\n{row.test}\n\ncheck({row.entry_point})\n"
        yield Subject(row.task_id, program, row.entry_point, tests)


def _kept(subject: Subject) -> Sequence[Mutant]:
    killed = frozenset(_killed().get(subject.id, ()))
    if not killed:
        return ()
    found = [each for each in candidates(subject) if each.name in killed]
    # A result of None is no challenge, and may make a test crash, which proves nothing.
    telling = [each for each in found if not each.name.endswith(" return")]
    return (telling or found)[:KEPT]


@cache
def _text() -> str:
    return (files("mftbench.sources") / "killed.json").read_text(encoding="utf-8")


@cache
def _killed() -> Mapping[str, Sequence[str]]:
    found: Mapping[str, Sequence[str]] = json.loads(_text())
    return found
