"""HumanEval+ and MBPP+ (Liu et al. 2023, arXiv 2305.01210): the same problems, many more inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import JsonValue, PositiveInt

from mftbench.contract import Metric, Problem, Prompt, Source
from mftbench.languages import PYTHON
from mftbench.sources.mbpp import EVALUATION_IDS
from mftbench.sources.mbpp_plus_inputs import restored
from mftbench.sources.published import DataFile, First, Published
from mftbench.sources.study_prompts import Asking, study_prompt
from mftbench.suites_plus import PlusSuite

__all__ = ["HUMAN_EVAL_PLUS", "MBPP_PLUS", "Row", "human_eval_plus", "mbpp_plus"]

# Headline: all inputs, as EvalPlus reports it; beside it the share that passes the original ones.
METRICS = (Metric("pass"), Metric("base", "mean"))
CITATION = "Liu et al. 2023, arXiv 2305.01210"


@dataclass(frozen=True)
class Row:
    """One line of either file. Arguments are JSON, and may stand for other types."""

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    base_input: JsonValue
    plus_input: JsonValue
    atol: float

    @property
    def number(self) -> int:
        """The original benchmark's number."""
        return int(self.task_id.partition("/")[2])


HUMAN_EVAL_PLUS = Published(
    name="humanevalplus",
    licence="Apache-2.0",
    citation=CITATION,
    version="evalplus/humanevalplus_release 200defc, v0.1.10",
    notes="evaluation only: HumanEval's problems; expected values are the reference's",
)
MBPP_PLUS = Published(
    name="mbppplus",
    licence="Apache-2.0",
    citation=CITATION,
    version="evalplus/mbppplus_release dadf43d, v0.2.0",
    notes="the 224 of 378 problems that are in MBPP's evaluation ids 11-510; the others are in its"
    " prompt, development or training ids",
)
_RELEASES = "https://raw.githubusercontent.com/evalplus"
_HUMAN = f"{_RELEASES}/humanevalplus_release/200defce9e3429d28ca215b6dd061c0f7f31c18b"
_MBPP = f"{_RELEASES}/mbppplus_release/dadf43da556a00f7bacd71cb154f2932757d9144"
HUMAN_EVAL_PLUS_FILES = {
    "full": DataFile(
        path="humanevalplus/HumanEvalPlus.jsonl.gz",
        kind=Row,
        sha256="272720b90ac375502c8ed23cd791c2a93dfb22a911641a494da74a426c09f101",
        count=164,
        upstream=f"{_HUMAN}/HumanEvalPlus.jsonl.gz",
    ),
    "noextreme": DataFile(
        path="humanevalplus/HumanEvalPlus-NoExtreme.jsonl.gz",
        kind=Row,
        sha256="298f79977b2663b8b8ab6b5fa50b17d6f23a92603d24f39e26203fe58c37eeda",
        count=164,
        upstream=f"{_HUMAN}/HumanEvalPlus-NoExtreme.jsonl.gz",
    ),
    "mini": DataFile(
        path="humanevalplus/HumanEvalPlus-Mini.jsonl.gz",
        kind=Row,
        sha256="91486741f1627101021fbe50523df08eebb5b0bf5e804b633dcd5ca3c14dbd2f",
        count=164,
        upstream=f"{_HUMAN}/HumanEvalPlus-Mini.jsonl.gz",
    ),
}
MBPP_PLUS_FILES = {
    "full": DataFile(
        path="mbppplus/MbppPlus.jsonl.gz",
        kind=Row,
        sha256="af43697e8791c4c149bdfd6b489d8b5412507551ac20e28a439f650b8225db63",
        count=378,
        upstream=f"{_MBPP}/MbppPlus.jsonl.gz",
    ),
    "noextreme": DataFile(
        path="mbppplus/MbppPlus-NoExtreme.jsonl.gz",
        kind=Row,
        sha256="72d32acaea73d5606cb97041b30d45bbda9435a675369d3e31965513ee94e564",
        count=378,
        upstream=f"{_MBPP}/MbppPlus-NoExtreme.jsonl.gz",
    ),
}


def human_eval_plus(
    *,
    inputs: Literal["full", "noextreme", "mini"] = "full",
    prompt: Asking = "standard",
    problems: PositiveInt | None = None,
) -> Source:
    """Open HumanEval+; ``inputs`` is the edition, ``prompt`` HumanEval's own or the study's.

    ``problems`` takes only the first ones.
    """
    file = HUMAN_EVAL_PLUS_FILES[inputs]

    def questions() -> Iterator[Problem]:
        for row in file.rows():
            suite = _suite(row, row.prompt + row.canonical_solution, "humaneval")
            yield _problem(row, row.canonical_solution, suite)

    return HUMAN_EVAL_PLUS.source(
        "completion",
        (file,),
        problems=questions,
        first=First(problems=problems),
        prompt=study_prompt(PYTHON) if prompt == "mftcoder" else None,
        metrics=METRICS,
    )


def mbpp_plus(
    *, inputs: Literal["full", "noextreme"] = "full", problems: PositiveInt | None = None
) -> Source:
    """Open MBPP+ as text-to-code: a docstring with one assert to a function.

    ``inputs`` is the edition, ``problems`` takes only the first ones.
    """
    file = MBPP_PLUS_FILES[inputs]

    def questions() -> Iterator[Problem]:
        for row in file.rows():
            if row.number in EVALUATION_IDS:
                suite = _suite(row, row.canonical_solution, "mbpp")
                yield _problem(row, row.canonical_solution.lstrip("\n"), suite)

    return MBPP_PLUS.source(
        "text",
        (file,),
        problems=questions,
        first=First(problems=problems),
        prompt=Prompt(stop=('\n"""', "\nassert", "\nprint(", "\nif __name__"), max_new_tokens=512),
        metrics=METRICS,
    )


def _problem(row: Row, gold: str, suite: PlusSuite) -> Problem:
    return Problem(row.task_id, row.prompt, gold, {**suite.facts(), "checker": "plus"})


def _suite(row: Row, reference: str, family: Literal["humaneval", "mbpp"]) -> PlusSuite:
    return PlusSuite(
        reference,
        row.entry_point,
        base=_arguments(row, family, row.base_input),
        plus=_arguments(row, family, row.plus_input),
        atol=row.atol,
        family=family,
    )


def _arguments(row: Row, family: str, inputs: JsonValue) -> list[list[Any]]:
    # Mbpp/793 has an empty object where there are no inputs.
    rows = inputs if isinstance(inputs, list) else []
    given = [list(each) for each in rows if isinstance(each, list)]
    return restored(row.number, given) if family == "mbpp" else given
