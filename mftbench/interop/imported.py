"""What is taken from another harness's file, and how files are written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mftbench.errors import StoreError, UsageError

__all__ = ["Imported", "read_json", "write_json", "write_jsonl"]


@dataclass(frozen=True)
class Imported:
    """One sample: a completion that follows the prompt, or else a whole solution.

    ``passed`` is the other harness's verdict, None where its file has none.
    """

    task_id: str
    completion: str | None = None
    solution: str | None = None
    passed: bool | None = None

    def row(self) -> dict[str, Any]:
        """Write a line of samples.jsonl, as 'mftbench score' reads it; verdicts are not kept."""
        if self.solution is not None:
            return {"task_id": self.task_id, "solution": self.solution}
        return {"task_id": self.task_id, "completion": self.completion}


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows as ASCII JSON lines: lone surrogates survive as escapes.

    Raises StoreError if the file cannot be written.
    """
    return _write(path, "".join(f"{json.dumps(row)}\n" for row in rows))


def write_json(path: Path, value: Mapping[str, Any]) -> Path:
    """Write one JSON object.

    Raises StoreError if the file cannot be written.
    """
    return _write(path, json.dumps(value, indent=1) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON object.

    Raises UsageError naming the file if it cannot be read, or is none.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise UsageError(f"{path}: a JSON object is expected, not a {type(value).__name__}")
    return value


def _write(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii", newline="\n")
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error}") from error
    return path
