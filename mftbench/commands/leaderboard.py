"""``mftbench leaderboard``: print a board, bring its files up to date, or check that they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def leaderboard(
    board: Annotated[str, typer.Argument(help="A board's folder, or its name in leaderboards/.")],
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 if a generated file is stale; write nothing.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Generate README.md and table.tex again.")
    ] = False,
    format: Annotated[
        str, typer.Option(help="Print as md, latex or csv (default: a terminal table).")
    ] = "",
) -> None:
    """Print a leaderboard from its results.jsonl and study.toml; nothing is run."""
    from mftbench.leaderboard.files import RESULTS, find_board, read_board, write_board
    from mftbench.leaderboard.formats import render
    from mftbench.leaderboard.rows import read_rows
    from mftbench.leaderboard.terminal import print_board

    folder = find_board(board)
    if write:
        write_board(folder, read_rows(folder / RESULTS))
    if check:
        _check(folder)
    elif format:
        typer.echo(render(read_board(folder), format), nl=False)
    elif not write:
        print_board(read_board(folder))


def _check(folder: Path) -> None:
    from mftbench.leaderboard.files import check_board

    stale = check_board(folder)
    for name in stale:
        remedy = f"run: mftbench leaderboard {folder} --write"
        typer.echo(f"{folder / name} does not follow from its rows; {remedy}", err=True)
    if stale:
        raise typer.Exit(1)
