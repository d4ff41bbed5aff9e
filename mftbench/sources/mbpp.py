"""MBPP (Austin et al. 2021, arXiv 2108.07732): its splits by id, and its two renderings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import NonNegativeInt, PositiveInt

from mftbench.contract import Example, Problem, Source
from mftbench.sources import mbpp_prompts as prompts
from mftbench.sources.mbpp_row import Row
from mftbench.sources.published import DataFile, First, Hub, Published
from mftbench.suites import Suite

__all__ = [
    "DEVELOPMENT_IDS",
    "EVALUATION_IDS",
    "FILE",
    "MBPP",
    "PROMPT_IDS",
    "TRAIN_IDS",
    "mbpp_comment",
    "mbpp_completion",
    "mbpp_rows",
    "mbpp_suite",
    "mbpp_text",
    "mbpp_text_rows",
]

Rows = dict[int, Row]
PROMPT_IDS = frozenset(range(1, 11))
EVALUATION_IDS = frozenset(range(11, 511))
# 538 has the same body as evaluation problem 310.
DEVELOPMENT_IDS = frozenset(range(512, 601)) - {538}
# Problems repeated across MBPP's own splits; their twins are named at the end of each line.
REPEATED_IDS = frozenset(
    {
        *(602, 704, 872),  # same description as 217, 248, 216
        *(716, 784, 787),  # same tests after renaming the function as 17, 38, 285
        *(608, 841, 842),  # same function body as 67, 296, 29
        *(606, 658, 673, 777, 837, 922, 965),  # nearly 214, 362, 439, 42, 504, 415, 102
        *(625, 699, 732, 767),  # same body as the development problems 591, 595, 542, 527
    }
)
TRAIN_IDS = frozenset(range(601, 975)) - REPEATED_IDS

MBPP = Published(
    name="mbpp",
    licence="CC-BY-4.0",
    citation="Austin et al. 2021, arXiv 2108.07732",
    version="google-research/google-research mbpp/mbpp.jsonl",
    notes="evaluation ids 11-510; training ids 601-974 less 20 repeated problems",
)
FILE = DataFile(
    path="mbpp/mbpp.jsonl",
    kind=Row,
    sha256="ccf64ceae9c5403bf50a044cb6d505bfd2a2963ee58338ba268fd65beab92a9f",
    count=974,
    upstream="https://raw.githubusercontent.com/google-research/google-research/master/mbpp/mbpp.jsonl",
    hub=Hub(
        "google-research-datasets/mbpp",
        splits=("prompt", "test", "validation", "train"),
        config="full",
        revision="4bb6404fdc6cacfda99d4ac4205087b89d32030c",
    ),
)


@dataclass(frozen=True)
class _Rendering:
    """How MBPP is shown; None for a row that cannot be."""

    example: Callable[[Row, Rows], Example | None]
    problem: Callable[[Row, Rows], Problem | None]


def mbpp_text(
    *,
    prompt: Literal["mftcoder", "standard"] = "mftcoder",
    train: NonNegativeInt | None = None,
    problems: PositiveInt | None = None,
) -> Source:
    """Open MBPP as text-to-code: description and asserts to a function.

    ``mftcoder`` is the study's prompt, ``standard`` MBPP's own with three solved problems above.
    The study scores with MBPP's challenge tests too, which eleven of its problems have.
    ``train`` and ``problems`` take only the first rows of a split.

    Raises UsageError if the file cannot be had.
    """
    ask = prompts.PROMPTS[prompt]

    def problem(row: Row, rows: Rows) -> Problem:
        suite = mbpp_suite(row, challenge=prompt == "mftcoder")
        return Problem(f"MBPP/{row.task_id}", ask(row, rows), row.source, suite.facts())

    def example(row: Row, rows: Rows) -> Example:
        return _example(row, rows, prompt)

    # The form is part of the fingerprint, so nothing that ran without these tests is taken for it.
    form = f"{prompt} challenge" if prompt == "mftcoder" else prompt
    return _source(_Rendering(example, problem), form, train, problems)


def mbpp_text_rows() -> Source:
    """Open what is learnt from MBPP as text-to-code, in the study's prompt and without problems.

    Its fingerprint is of the training rows alone: a change of the problems' tests trains nothing.

    Raises UsageError if the file cannot be had.
    """
    rendering = _Rendering(
        example=lambda row, rows: _example(row, rows, "mftcoder"), problem=lambda row, rows: None
    )
    return _source(rendering, "mftcoder", None, None)


def mbpp_completion(
    *, train: NonNegativeInt | None = None, problems: PositiveInt | None = None
) -> Source:
    """Open MBPP as completion: signature and description as docstring to the function's body.

    Only problems that are one function below imports take part: with helper functions the prompt
    would give half of the answer away. ``train`` and ``problems`` take only the first rows.

    Raises UsageError if the file cannot be had.
    """

    def problem(row: Row, rows: Rows) -> Problem | None:
        halves = prompts.split_function(row)
        return halves and Problem(f"MBPP/{row.task_id}", *halves, mbpp_suite(row).facts())

    def example(row: Row, rows: Rows) -> Example | None:
        halves = prompts.split_function(row)
        return halves and Example(f"MBPP/{row.task_id}", *halves)

    return _source(_Rendering(example, problem), "completion", train, problems)


def mbpp_comment(
    *, train: NonNegativeInt | None = None, problems: PositiveInt | None = None
) -> Source:
    """Open MBPP as comment: a solution to its description.

    ``train`` and ``problems`` take only the first rows.

    Raises UsageError if the file cannot be had.
    """

    def problem(row: Row, rows: Rows) -> Problem:
        return Problem(f"MBPP/{row.task_id}", row.source.rstrip(), row.text)

    def example(row: Row, rows: Rows) -> Example:
        return Example(f"MBPP/{row.task_id}", row.source.rstrip(), row.text)

    return _source(_Rendering(example, problem), "comment", train, problems)


def _example(row: Row, rows: Rows, prompt: str) -> Example:
    ask, answer = prompts.PROMPTS[prompt], prompts.ANSWERS[prompt]
    return Example(f"MBPP/{row.task_id}", ask(row, rows), answer(row))


def _source(rendering: _Rendering, form: str, train: int | None, problems: int | None) -> Source:
    def examples() -> Iterator[Example]:
        rows = mbpp_rows()
        shown = (rendering.example(rows[key], rows) for key in sorted(TRAIN_IDS & set(rows)))
        return filter(None, shown)

    def questions() -> Iterator[Problem]:
        rows = mbpp_rows()
        shown = (rendering.problem(rows[key], rows) for key in sorted(EVALUATION_IDS & set(rows)))
        return filter(None, shown)

    return MBPP.source(
        form, (FILE,), train=examples, problems=questions, first=First(train, problems)
    )


def mbpp_rows() -> Rows:
    """Read all of MBPP by id."""
    return {row.task_id: row for row in FILE.rows()}


def mbpp_suite(row: Row, *, challenge: bool = False) -> Suite:
    """Make the suite of a problem's three asserts, and of its challenge tests if asked for."""
    tests = (*row.test_list, *(row.challenge_test_list if challenge else ()))
    # Where there is a setup it instantiates a class of the candidate's, which no pipe can carry.
    return Suite(
        text="\n".join((row.setup, *tests)) + "\n",
        entry_points=(row.entry_point,),
        checks=len(tests),
        in_process=bool(row.setup.strip()),
    )
