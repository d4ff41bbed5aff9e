"""How numbers read in every format: percent with one decimal, intervals, p values, marks."""

from __future__ import annotations

from collections.abc import Iterable

from mftbench.leaderboard.cells import Cell, Column, System
from mftbench.leaderboard.table import Mark, Table
from mftbench.scoring.intervals import Interval

ABSENT = "–"
MARKS = {Mark.BEST: "", Mark.TIED: "≈", Mark.BEHIND: "", Mark.UNRANKED: ""}
AT_LEAST = "≥"
UNSEEN = "†"


def percent(share: float) -> str:
    """Write 0.4512 as "45.1"."""
    return f"{_tenth(share):.1f}"


def points(difference: float) -> str:
    """Write a difference of shares in signed percentage points: "+3.0"."""
    return f"{_tenth(difference):+.1f}"


def share(amount: float | None) -> str:
    """Write an amount of points, or a dash where there is none."""
    return ABSENT if amount is None else percent(amount)


def bounds(found: Interval | None) -> str:
    """Write the interval of a difference in brackets, or nothing."""
    return "" if found is None else f"[{points(found.low)}, {points(found.high)}]"


def rank(table: Table, system: System) -> str:
    """Write a system's mean rank."""
    return f"{table.ranks[system]:.1f}"


def rank_bounds(table: Table, system: System) -> str:
    """Write the interval of a system's mean rank in brackets."""
    found = table.rank_intervals[system]
    return f"[{found.low:.1f}, {found.high:.1f}]"


def p_value(p: float) -> str:
    """Write a p value with three decimals, and a bound where that would read as zero."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def value(cell: Cell | None) -> str:
    """Write a cell's value: a lower bound where items are missing, "n/a" where n < k."""
    if cell is None:
        return ABSENT
    if cell.value is None:
        return "missing" if cell.missing else "n/a"
    return f"{AT_LEAST}{percent(cell.value)}" if cell.missing else percent(cell.value)


def interval(cell: Cell | None) -> str:
    """Write a cell's interval in brackets, or nothing."""
    if cell is None or cell.interval is None:
        return ""
    return f"[{percent(cell.interval.low)}, {percent(cell.interval.high)}]"


def signs(cell: Cell | None, mark: Mark) -> str:
    """Give the signs that follow a cell's value; the footnotes explain them."""
    return MARKS[mark] + (UNSEEN if cell is not None and cell.unseen else "")


def qualities(cells: Iterable[Cell]) -> str:
    """Say in a few words what has to be said of cells wherever their numbers appear."""
    known = list(cells)
    said = {
        "synthetic": any(cell.first.synthetic for cell in known),
        "in-process checker": any(cell.in_process for cell in known),
    }
    return ", ".join(name for name, holds in said.items() if holds)


def qualified(label: str, table: Table, columns: Iterable[Column]) -> str:
    """Write a label of some columns for a figure, with a line below it for what qualifies them."""
    cells = (table.cell(system, column) for column in columns for system in table.systems)
    return f"{label}\n{qualities(cell for cell in cells if cell)}".strip()


def _tenth(share: float) -> float:
    return round(100 * share, 1) + 0.0  # a difference of -0.0 has no sign
