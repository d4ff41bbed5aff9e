"""A board on a terminal, by rich."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mftbench.leaderboard.board import Board
from mftbench.leaderboard.cells import Column, System
from mftbench.leaderboard.footnotes import footnotes
from mftbench.leaderboard.pairs import Pair
from mftbench.leaderboard.table import Mark, Table
from mftbench.leaderboard.wording import bounds, interval, p_value, points, rank, signs, value

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Grid

_STYLES = {Mark.BEST: "bold green", Mark.TIED: "", Mark.BEHIND: "dim", Mark.UNRANKED: "dim italic"}


def print_board(board: Board, console: Console | None = None) -> None:
    """Print every section's main table, its comparisons in words, and its footnotes."""
    out = console or _console()
    for section in board.sections:
        out.print(_grid(section.main, f"{board.name}: {section.model}"))
        for pair in section.pairs:
            out.print(f"{pair.a} against {pair.b}: {pair.statement}", highlight=False, markup=False)
        for note in footnotes(section.main):
            out.print(note, style="dim", highlight=False, markup=False)
    if not board.sections:
        out.print(f"{board.name}: there are no rows yet", markup=False)


def print_pair(pair: Pair, console: Console | None = None) -> None:
    """Print one paired comparison, a line per task."""
    from rich.text import Text

    out = console or _console()
    grid = _empty(f"{pair.a} against {pair.b}: {pair.statement}", ("task", "metric"))
    for head in ("difference", "95 % interval", "wins : losses", "p", "p (Holm)"):
        grid.add_column(head, justify="right")
    grid.add_column("verdict")
    for column, found in pair.compared:
        around = f"[{points(found.low)}, {points(found.high)}]"
        counts = f"{found.wins} : {found.losses} of {found.problems}"
        cells = (points(found.difference), around, counts, p_value(found.p))
        line = (column.label, column.metric, *cells, p_value(found.adjusted), found.verdict)
        grid.add_row(*map(Text, line))
    out.print(grid)
    if pair.difference is not None and len(pair.compared) > 1:
        mean = f"{points(pair.difference)} {bounds(pair.interval)}"
        out.print(f"mean difference over tasks: {mean}", highlight=False, markup=False)
    for column, reason in pair.skipped:
        out.print(f"not compared on {column.label} {column.metric}: {reason}", markup=False)
    for note in pair.notes:
        out.print(note, style="dim", highlight=False, markup=False)


def _console() -> Console:
    from rich.console import Console

    return Console()


def _empty(title: str, heads: tuple[str, ...]) -> Grid:
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(title=Text(title), title_justify="left", box=None, header_style="bold")
    for head in heads:
        grid.add_column(head)
    return grid


def _grid(table: Table, title: str) -> Grid:
    """Lay out tasks down and systems across: the narrower of the two ways."""
    grid = _empty(title, ("task",))
    for system in table.systems:
        grid.add_column(system.label.replace(":", ":\n"), justify="right")
    for column in table.columns:
        cells = [_cell(table, system, column) for system in table.systems]
        grid.add_row(f"{column.task}\n[dim]{column.source} {column.metric}[/]", *cells)
    if table.ranks:
        grid.add_row("rank", *(rank(table, system) for system in table.systems))
    return grid


def _cell(table: Table, system: System, column: Column) -> str:
    from rich.markup import escape

    cell, mark = table.cell(system, column), table.mark(system, column)
    text = f"{value(cell)} {signs(cell, mark)}".strip()
    style = _STYLES[mark]
    styled = f"[{style}]{text}[/]" if style else text
    return f"{styled}\n[dim]{escape(interval(cell))}[/]"
