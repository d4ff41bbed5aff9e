"""CodeFuseEval's files: ``task_id`` and ``generation``, with the row's own fields carried along."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Required

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from mftbench.errors import UsageError
from mftbench.interop.humaneval import completion_after, result_text
from mftbench.interop.imported import Imported, write_jsonl
from mftbench.interop.results import Item, Results
from mftbench.sources.jsonl import read_rows
from mftbench.suites import texts

__all__ = ["read", "write"]

# Its evaluation finds the language by the beginning of the task's id.
_PREFIXES = {"HumanEval/": "Python/", "MBPP/": "Python/"}


@with_config(ConfigDict(extra="allow"))
class _Line(TypedDict, total=False):
    task_id: Required[str]
    generation: Required[str]
    passed: bool


def write(results: Results, out: Path) -> list[Path]:
    """Write generations, and beside them its results file if there are verdicts.

    Raises UsageError for a task whose problems are not functions.
    """
    if not all(item.problem.facts.get("entry_points") for item in results.items):
        task = results.task.name
        raise UsageError(f"codefuse's files are of functions; task {task!r} has none")
    rows = [_row(item) for item in results.items]
    files = [write_jsonl(out, rows)]
    judged = [
        {
            **row,
            "result": result_text(item.verdict),
            "passed": item.verdict.passed,
            "completion_id": item.completion.sample,
        }
        for row, item in zip(rows, results.items, strict=True)
        if item.verdict is not None
    ]
    if judged:
        files.append(
            write_jsonl(out.with_name(out.name.removesuffix(".jsonl") + "_results.jsonl"), judged)
        )
    return files


def read(path: Path) -> list[Imported]:
    """Read generations or results.

    Raises UsageError naming file, line and field if the file is not what it should be.
    """
    return [
        Imported(line["task_id"], line["generation"], passed=line.get("passed"))
        for line in read_rows(path, _Line)
    ]


def _row(item: Item) -> dict[str, Any]:
    facts = item.problem.facts
    task_id = item.problem.id
    for ours, theirs in _PREFIXES.items():
        task_id = task_id.replace(ours, theirs)
    whole = "language" in facts and not item.source.startswith(item.problem.prompt)
    return {
        "task_id": task_id,
        "prompt": item.problem.prompt,
        "canonical_solution": item.problem.gold,
        "test": facts.get("suite", ""),
        "language": facts.get("language", "python"),
        "entry_point": texts(item.problem, "entry_points")[0],
        "generation": item.source if whole else completion_after(item.problem.prompt, item.source),
    }
