"""The formats of a board by name. Each is a function from the board to text."""

from __future__ import annotations

from collections.abc import Callable

from mftbench.errors import unknown
from mftbench.leaderboard.board import Board
from mftbench.leaderboard.csv import render_csv
from mftbench.leaderboard.json import render_json
from mftbench.leaderboard.latex import render_latex
from mftbench.leaderboard.markdown import render_markdown

FORMATS: dict[str, Callable[[Board], str]] = {
    "md": render_markdown,
    "latex": render_latex,
    "csv": render_csv,
    "json": render_json,
}


def render(board: Board, name: str) -> str:
    """Write a board in the format of that name; raises UsageError for an unknown one."""
    if name not in FORMATS:
        raise unknown("format", name, FORMATS)
    return FORMATS[name](board)
