"""When two results are the same: strictly, as Spider's evaluation says, and as BIRD's says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from mftbench.contract import JsonValue

from .result import Result, difference, is_ordered

__all__ = ["RULES"]

Row = tuple[JsonValue, ...]
MOST_COLUMN_ORDERS = 5_000


def strict(gold: Result, predicted: Result, query: str) -> str:
    """Compare as multisets of typed rows, in order where the gold query itself has an ORDER BY."""
    return difference(gold, predicted, ordered=is_ordered(query))


def spider(gold: Result, predicted: Result, query: str) -> str:
    """Compare as test-suite-sql-eval's ``result_eq``: multisets, up to an order of the columns.

    Rows are compared in order where the gold query says "order by" anywhere. Two empty results are
    equal, whatever their columns. Queries are run as they are: upstream's ``--keep_distinct``.
    """
    if gold.truncated or predicted.truncated:
        return "too many rows to compare"
    if not gold.rows and not predicted.rows:
        return ""
    if len(gold.rows) != len(predicted.rows):
        return f"{len(predicted.rows)} rows, not {len(gold.rows)}"
    if gold.width != predicted.width:
        return f"{predicted.width} columns, not {gold.width}"
    expected, got = list(map(_loose, gold.rows)), list(map(_loose, predicted.rows))
    ordered = "order by" in query.lower()
    if any(
        _same(expected, [_pick(row, order) for row in got], ordered)
        for order in _orders(expected, got)
    ):
        return ""
    return "other rows"


def bird(gold: Result, predicted: Result, query: str) -> str:
    """Compare as BIRD's evaluation: as sets of rows, without order and duplicates."""
    if gold.truncated or predicted.truncated:
        return "too many rows to compare"
    same = set(map(_loose, gold.rows)) == set(map(_loose, predicted.rows))
    return "" if same else "another set of rows"


RULES: Mapping[str, Callable[[Result, Result, str], str]] = {
    "strict": strict,
    "spider": spider,
    "bird": bird,
}


def _loose(row: Row) -> tuple[object, ...]:
    """Make a row hashable; numbers are equal if Python says so, as in both evaluations."""
    return tuple(json.dumps(cell) if isinstance(cell, dict | list) else cell for cell in row)


def _same(expected: list[tuple[object, ...]], got: list[tuple[object, ...]], ordered: bool) -> bool:
    return expected == got if ordered else Counter(expected) == Counter(got)


def _pick(row: Sequence[object], order: Sequence[int]) -> tuple[object, ...]:
    return tuple(row[position] for position in order)


def _orders(
    expected: Sequence[Sequence[object]], got: Sequence[Sequence[object]]
) -> Iterator[tuple[int, ...]]:
    """Give the orders of the columns under which each holds the same values, up to a number."""
    wanted, had = (
        [Counter(column) for column in zip(*rows, strict=True)] for rows in (expected, got)
    )
    choices = [[place for place, column in enumerate(had) if column == each] for each in wanted]

    def extend(order: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(order) == len(choices):
            yield order
            return
        for place in choices[len(order)]:
            if place not in order:
                yield from extend((*order, place))

    for number, order in enumerate(extend(())):
        if number == MOST_COLUMN_ORDERS:
            return
        yield order
