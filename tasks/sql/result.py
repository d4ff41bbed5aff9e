"""Results of queries and their strict comparison; what a query's text says of its order."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass

from mftbench.contract import JsonValue, StepResult

# Whatever may hold a semicolon or a bracket that is none. Every alternative also matches when it is
# never closed, so that the search stays linear.
_OPAQUE = r"'[^']*'?|\"[^\"]*\"?|`[^`]*`?|--[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?"
_TOKEN = re.compile(rf"{_OPAQUE}|;")
_ORDER = re.compile(rf"{_OPAQUE}|[()]|\border\s+by\b", re.I)


@dataclass(frozen=True)
class Result:
    """The rows of one query. ``truncated`` says that there were more."""

    width: int
    rows: tuple[tuple[JsonValue, ...], ...]
    truncated: bool

    @classmethod
    def of(cls, step: StepResult) -> Result:
        """Read the result that the query runner reported."""
        assert step.report is not None, "a passed step has a report"
        detail = step.report.detail
        columns, rows = detail["columns"], detail["rows"]
        assert isinstance(columns, list)
        assert isinstance(rows, list)
        cells = tuple(tuple(row) for row in rows if isinstance(row, list))
        return cls(len(columns), cells, bool(detail["truncated"]))


def query_of(step: StepResult) -> str:
    """Read the query that the runner reported with its result or its error, or "" without one."""
    return str(step.report.detail.get("query", "")) if step.report else ""


def difference(gold: Result, predicted: Result, *, ordered: bool) -> str:
    """Say how a result differs from the gold one, or "" if it does not.

    Column names do not count. Values are equal if they are of one type and equal; whole and other
    numbers are one type, a number and its text are not.
    """
    if gold.truncated or predicted.truncated:
        return "too many rows to compare"
    if gold.width != predicted.width:
        return f"{predicted.width} columns, not {gold.width}"
    if len(gold.rows) != len(predicted.rows):
        return f"{len(predicted.rows)} rows, not {len(gold.rows)}"
    expected, got = list(map(_key, gold.rows)), list(map(_key, predicted.rows))
    if Counter(expected) != Counter(got):
        return "other rows"
    return "right rows in the wrong order" if ordered and expected != got else ""


def is_ordered(query: str) -> bool:
    """Say whether the query itself, not only a subquery in it, has an ORDER BY."""
    depth = 0
    for token in _ORDER.findall(query):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0 and token.lower().startswith("order"):
            return True
    return False


def first_statement(text: str) -> str:
    """Cut a text of several SQL statements after the first, without its semicolon."""
    for token in _TOKEN.finditer(text):
        if token[0] == ";":
            return text[: token.start()].strip()
    return text.strip()


def _key(row: tuple[JsonValue, ...]) -> tuple[object, ...]:
    return tuple(
        ("number", cell) if type(cell) in (int, float) else (type(cell).__name__, json.dumps(cell))
        for cell in row
    )
