"""``mftbench leaderboard``: print boards, bring their files up to date, check them, merge them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

SHOW = "show"


class _ShowByDefault(TyperGroup):
    """``mftbench leaderboard laptop`` means ``mftbench leaderboard show laptop``."""

    def parse_args(self, context: Any, arguments: list[str]) -> list[str]:
        """Put the default command before anything that is not a command's name."""
        asks_help = arguments and arguments[0] == "--help"
        if not asks_help and (not arguments or arguments[0] not in self.commands):
            arguments = [SHOW, *arguments]
        return super().parse_args(context, arguments)


app = typer.Typer(cls=_ShowByDefault, help="Print, check and merge leaderboards; nothing is run.")


@app.command(SHOW)
def leaderboard(
    board: Annotated[
        str, typer.Argument(help="A board's folder, or its name in leaderboards/; --check: all.")
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 if a row or a generated file was edited.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Generate README.md and table.tex again.")
    ] = False,
    format: Annotated[
        str, typer.Option(help="Print as md, latex, csv or json (default: a terminal table).")
    ] = "",
) -> None:
    """Print a leaderboard from its results.jsonl and study.toml; nothing is run."""
    from mftbench.leaderboard.files import (
        ROOT,
        find_board,
        list_boards,
        read_board,
        rewrite_board,
    )
    from mftbench.leaderboard.formats import render
    from mftbench.leaderboard.sweep import list_sweeps
    from mftbench.leaderboard.terminal import print_board

    if check and not board:
        _check(list_boards(), list_sweeps(ROOT))
        return
    folder = find_board(_named(board))
    if write:
        rewrite_board(folder)
    if check:
        _check([folder])
    elif format:
        typer.echo(render(read_board(folder), format), nl=False)
    elif not write:
        print_board(read_board(folder))


@app.command()
def merge(
    boards: Annotated[list[str], typer.Argument(help="Board folders or names, two or more.")],
    out: Annotated[Path, typer.Option(help="The folder of the merged board.", file_okay=False)],
) -> None:
    """Join the rows of several machines into one board; rows whose keys conflict are refused.

    The boards' studies may differ in models, tasks, modes, balancers, seeds and the baseline only;
    without a common model also in how models are trained.
    A folder that holds anything else than their study and rows is not written to.
    """
    from mftbench.folders import make_folder
    from mftbench.leaderboard.files import RESULTS, STUDY, find_board, write_board
    from mftbench.leaderboard.merge import merge_rows
    from mftbench.leaderboard.studies import joint_study, require_own

    folders = [find_board(name) for name in boards]
    rows = merge_rows([folder / RESULTS for folder in folders], out.resolve().name)
    study = joint_study(folders)
    require_own(out, folders, rows)
    make_folder(out)
    if study and not (out / STUDY).exists():
        (out / STUDY).write_bytes(study)
    write_board(out, rows)
    typer.echo(f"{len(rows)} rows of {len(folders)} boards: {out / 'README.md'}", err=True)


@app.command()
def sweep(
    folder: Annotated[Path, typer.Argument(help="A folder whose folders are boards.")],
) -> None:
    """Write a page over boards that differ in a few settings: scores and differences by setting."""
    from mftbench.leaderboard.sweep import write_sweep

    typer.echo(str(write_sweep(folder)), err=True)


def _named(board: str) -> str:
    from mftbench.errors import UsageError
    from mftbench.leaderboard.files import ROOT, list_boards

    if not board:
        names = (folder.relative_to(ROOT).as_posix() for folder in list_boards())
        known = ", ".join(names) or "none here"
        raise UsageError(f"name a board: {known}")
    return board


def _check(folders: list[Path], sweeps: Sequence[Path] = ()) -> None:
    from mftbench.leaderboard.files import RESTORE, check_board
    from mftbench.leaderboard.sweep import PAGE, sweep_is_current

    stale = [(folder, found) for folder in folders for found in check_board(folder)]
    for folder, found in stale:
        remedy = f"run: mftbench leaderboard {folder} --write" if found.generated else RESTORE
        typer.echo(f"{folder / found.place}: {found.reason}; {remedy}", err=True)
    old = [folder for folder in sweeps if not sweep_is_current(folder)]
    for folder in old:
        remedy = f"run: mftbench leaderboard sweep {folder}"
        typer.echo(f"{folder / PAGE} does not follow from its boards; {remedy}", err=True)
    if stale or old:
        raise typer.Exit(1)
