"""The rows of a board: one line of results.jsonl per cell and metric, the same bytes every time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from mftbench.canonical import dumps, plain
from mftbench.errors import UsageError

DIGITS = 6  # more than any printed number needs, fewer than platforms disagree about


@dataclass(frozen=True)
class Keys:
    """The store keys of the artifacts that a row came from; ``train`` is empty for a base model."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    train: str
    generate: str
    execute: str
    score: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One metric of one cell (model x mode x balancer x task x seed), with what it was made from.

    ``value``, ``low``, ``high`` and ``items`` are on the scale 0..1. ``items`` follow the sorted
    problem ids, whose digest is ``items_digest``; None is a missing item. ``samples`` is the n of
    pass@k. ``headline`` marks the metric that stands for the task in the main table. ``outcomes``
    counts samples by verdict; ``in_process`` counts those judged in the candidate's own process.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    board: str
    model: str
    mode: str
    balancer: str
    task: str
    source: str
    metric: str
    headline: bool
    value: float | None
    low: float | None
    high: float | None
    problems: int
    samples: int
    seed: int
    train_tasks: tuple[str, ...]
    missing: int
    outcomes: Mapping[str, int]
    in_process: int
    synthetic: bool
    engine: str
    sandbox: str
    format: str
    keys: Keys
    items: tuple[float | None, ...]
    items_digest: str

    @property
    def order(self) -> tuple[str, str, str, str, str, str, int]:
        """Sort rows by what they are about, not by when they were made."""
        return (
            self.model,
            self.task,
            self.source,
            self.metric,
            self.mode,
            self.balancer,
            self.seed,
        )


_ROW = TypeAdapter(Row)


def digest_ids(problem_ids: Iterable[str]) -> str:
    """Identify a problem set: the SHA-256 of its sorted ids. Rows pair only where this is equal."""
    return hashlib.sha256(dumps(sorted(problem_ids)).encode()).hexdigest()


def serialise(rows: Iterable[Row]) -> str:
    """Write rows as JSON lines: sorted rows, sorted keys, rounded floats."""
    lines = sorted((row.order, dumps(rounded(plain(row)))) for row in rows)
    return "".join(f"{line}\n" for _, line in lines)


def parse(text: str, place: str) -> tuple[Row, ...]:
    """Read JSON lines; raises UsageError that names ``place``, the line and the field."""
    return tuple(
        _parse_line(line, f"{place}:{number}")
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip()
    )


def read_rows(path: Path) -> tuple[Row, ...]:
    """Read a results.jsonl; an empty file has no rows."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}; a board is made by mftbench run") from error
    return parse(text, str(path))


def _parse_line(line: str, place: str) -> Row:
    try:
        row = _ROW.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        where = f"field {field!r}: " if field else ""
        message = _SAID.get(first["type"], first["msg"].lower())
        raise UsageError(f"{place}: {where}{message}; {_REMEDY}") from error
    if len(row.items) not in (0, row.problems):
        raise UsageError(f"{place}: {len(row.items)} items of {row.problems} problems; {_REMEDY}")
    return row


_REMEDY = "restore the file, or make the board again"
_SAID = {"unexpected_keyword_argument": "unknown field", "missing": "missing"}


def rounded(value: Any) -> Any:
    """Round every float in a plain value to ``DIGITS``."""
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0  # turns -0.0 into 0.0
    if isinstance(value, Mapping):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(inner) for inner in value]
    return value
