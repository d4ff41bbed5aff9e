"""EvalPlus's files: samples of ``task_id`` and ``solution``, and ``eval_results.json``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from mftbench.contract import Outcome, Verdict
from mftbench.errors import UsageError
from mftbench.interop import humaneval_files
from mftbench.interop.imported import Imported, read_json, write_json, write_jsonl
from mftbench.interop.results import Item, Results
from mftbench.scoring.pass_at_k import pass_at_k

__all__ = ["read", "write"]

_KS = (1, 10, 100)


class _Row(TypedDict):
    task_id: str
    solution: str
    base_status: NotRequired[str | None]
    plus_status: NotRequired[str | None]


class _Evaluated(TypedDict):
    eval: dict[str, list[_Row]]


def write(results: Results, out: Path) -> list[Path]:
    """Write samples, and for EvalPlus's own problems the results, if there are verdicts."""
    rows = [{"task_id": _task_id(item), "solution": item.source} for item in results.items]
    files = [write_jsonl(out, rows)]
    judged = [item for item in results.items if item.verdict and "plus" in item.problem.facts]
    if judged:
        target = out.with_name(out.name.removesuffix(".jsonl") + "_eval_results.json")
        files.append(write_json(target, _results(results, judged)))
    return files


def read(path: Path) -> list[Imported]:
    """Read samples, a folder of them, or results.

    Raises UsageError naming file and field if the files are not what they should be.
    """
    if path.is_dir():
        return [
            Imported(file.parent.name.replace("_", "/", 1), solution=_text(file))
            for file in sorted(path.glob("*/*.py"))
        ]
    if path.suffix == ".json":
        return [_imported(row) for rows in _evaluated(path).values() for row in rows]
    return humaneval_files.read(path)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from error


def _evaluated(path: Path) -> Mapping[str, Sequence[_Row]]:
    try:
        return TypeAdapter(_Evaluated).validate_python(read_json(path))["eval"]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise UsageError(f"{path}: field {field!r}: {first['msg'].lower()}") from None


def _imported(row: _Row) -> Imported:
    statuses = (row.get("base_status"), row.get("plus_status"))
    known = [status == "pass" for status in statuses if status is not None]
    passed = all(known) if known else None
    return Imported(row["task_id"], solution=row["solution"], passed=passed)


def _task_id(item: Item) -> str:
    """Name MBPP's problems as EvalPlus does."""
    return item.problem.id.replace("MBPP/", "Mbpp/")


def _results(results: Results, items: list[Item]) -> dict[str, Any]:
    evaluated: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in items:
        base, plus = _statuses(item.verdict)
        evaluated[_task_id(item)].append(
            {
                "task_id": _task_id(item),
                "solution": item.source,
                "base_status": base,
                "plus_status": plus,
                "base_fail_tests": [],
                "plus_fail_tests": [],
            }
        )
    return {
        "date": results.created.strftime("%Y-%m-%d %H:%M"),
        "hash": results.version,
        "eval": evaluated,
        "pass_at_k": {
            "base": _estimates(evaluated, ("base_status",)),
            "plus": _estimates(evaluated, ("base_status", "plus_status")),
        },
    }


def _statuses(verdict: Verdict | None) -> tuple[str, str]:
    """Say a verdict in EvalPlus's words; there a wrong base answer may still pass the rest."""
    assert verdict is not None
    wrong = "timeout" if verdict.outcome is Outcome.TIMEOUT else "fail"
    if verdict.passed:
        return "pass", "pass"
    return ("pass", wrong) if verdict.scores.get("base") == 1.0 else (wrong, wrong)


def _estimates(
    evaluated: Mapping[str, list[dict[str, Any]]], statuses: tuple[str, ...]
) -> dict[str, float]:
    counts = [
        (len(rows), sum(all(row[name] == "pass" for name in statuses) for row in rows))
        for rows in evaluated.values()
    ]
    found = {}
    for k in _KS:
        values = [value for n, c in counts if (value := pass_at_k(n, c, k)) is not None]
        if len(values) == len(counts):
            found[f"pass@{k}"] = sum(values) / len(values)
    return found
