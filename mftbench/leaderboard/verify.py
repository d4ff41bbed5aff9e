"""Whether a row still says what was measured: every number in it against its own items."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from mftbench.leaderboard.rows import DIGITS, Row
from mftbench.scoring.intervals import mean_interval

TOLERANCE = 2 * 10**-DIGITS  # a value and its items were rounded apart


def inconsistent_rows(rows: Iterable[Row]) -> Iterator[str]:
    """Name each row with a number that does not follow from the row's items, and that number."""
    for row in rows:
        for fault in _faults(row):
            system = f"{row.mode}:{row.balancer}" if row.balancer else row.mode
            yield (
                f"{row.model} {system} on {row.task} ({row.source}) {row.metric} seed {row.seed}: "
                f"{fault}"
            )


def with_own_interval(row: Row) -> Row:
    """Give a row the interval that its items give, where it has that of an older version.

    Items and keys outlive a change of the statistics: nothing has to be scored again for one.
    """
    known = [item for item in row.items if item is not None]
    if not known or row.missing:
        return row
    low, high = mean_interval(known)
    if [*_differs("low", row.low, low), *_differs("high", row.high, high)]:
        return replace(row, low=low, high=high)
    return row


def _faults(row: Row) -> Iterator[str]:
    known = [item for item in row.items if item is not None]
    if row.items and row.missing != len(row.items) - len(known):
        yield f"missing is {row.missing}, its items miss {len(row.items) - len(known)}"
    if row.items:
        yield from _differs("value", row.value, math.fsum(known) / len(row.items))
    if known and not row.missing:
        low, high = mean_interval(known)
        yield from _differs("low", row.low, low)
        yield from _differs("high", row.high, high)
    asked = sum(row.outcomes.values())
    if row.in_process > asked:
        yield f"in_process is {row.in_process} of {asked} samples"
    passes = sum(item == 1.0 for item in known)
    if row.metric == "pass@1" and row.samples == 1 and asked == len(known):
        yield from _differs("outcomes.passed", float(row.outcomes.get("passed", 0)), float(passes))


def _differs(name: str, said: float | None, found: float) -> Iterator[str]:
    if said is None or abs(said - found) > TOLERANCE:
        yield f"{name} is {said}, its items give {round(found, DIGITS):g}"
