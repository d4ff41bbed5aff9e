"""``mftbench run``: the whole study, from data to leaderboard."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mftbench.commands.options import (
    DEFAULT_STORE,
    Activations,
    Modes,
    Overrides,
    ReportTo,
    StoreName,
    StudyName,
    TaskFolders,
    Tasks,
    Unseen,
    choose_board,
    read_study,
)

if TYPE_CHECKING:
    from mftbench.run import Outcome
    from mftbench.study import Study


def run(
    study: StudyName = "laptop",
    modes: Modes = "",
    tasks: Tasks = "",
    unseen: Unseen = "",
    overrides: Overrides = None,
    store: StoreName = DEFAULT_STORE,
    board: Annotated[
        Path | None,
        typer.Option(help="Board folder (default: leaderboards/NAME).", file_okay=False),
    ] = None,
    tasks_dir: TaskFolders = None,
    workers: Annotated[
        int, typer.Option(help="Programs at a time (default: one a core).", min=0)
    ] = 0,
    launcher: Annotated[str, typer.Option(help="Who runs the stages: local or ray.")] = "local",
    slots: Annotated[int, typer.Option(help="Stages that run side by side on this machine.")] = 1,
    gpus: Annotated[int, typer.Option(help="GPUs of one training (-1: one a rank, if any).")] = -1,
    replicas: Annotated[
        int, typer.Option(help="Engines that share the models of a base (0: one a model).")
    ] = 0,
    address: Annotated[str, typer.Option(help="The Ray cluster's address.")] = "",
    activations: Activations = "auto",
    report_to: ReportTo = "",
    json: Annotated[bool, typer.Option("--json", help="Progress as JSON lines.")] = False,
) -> None:
    """Train, generate, execute and score a study; write and print its leaderboard.

    What is already in the store is not made again, so running again resumes, and running a
    finished study changes nothing. Another study's board, or a sweep, is never written over: this
    study's then goes to leaderboards/NAME-DIGEST, and --board is refused.

    Exit code 1: some cells failed, all others are stored; if no cell has a row, a board that is
    there is left as it is.
    """
    from mftbench.bench import Bench, Options
    from mftbench.commands.plan_table import duration
    from mftbench.display import open_display
    from mftbench.estimates.planned import planned_seconds
    from mftbench.launching.launched import How, run_study
    from mftbench.training.activations import choose
    from mftbench.training.trackers import follow

    choose(activations)
    follow(report_to)
    chosen, file = read_study(study, modes, tasks, unseen, overrides)
    folder = choose_board(board, chosen, file)
    options = Options(store, tuple(tasks_dir or ()), workers)
    with Bench(chosen, options, open_display(json)) as bench:
        expected, begun = planned_seconds(bench), time.monotonic()
        outcome = run_study(bench, How(launcher, slots, gpus, replicas, address))
    write_outcome(folder, chosen, file, outcome)
    if expected is not None:
        used = duration(time.monotonic() - begun)
        typer.echo(f"planned {duration(expected)} on one device, used {used}", err=True)
    show_outcome(folder, outcome)


def write_outcome(folder: Path, study: Study, file: Path | None, outcome: Outcome) -> None:
    """Write a board; one that is there is not lost to a run without a row."""
    from mftbench.board_folder import write_results

    if not outcome.fruitless:
        write_results(folder, study, file, outcome.rows)


def show_outcome(folder: Path, outcome: Outcome) -> None:
    """Print a board, then what failed, and exit with the worst failure's code."""
    from mftbench.leaderboard.files import read_board
    from mftbench.leaderboard.terminal import print_board

    if outcome.rows:
        print_board(read_board(folder))
    for failure in outcome.failures:
        typer.echo(f"failed: {failure.cell}: {failure.error}", err=True)
    board = f"board: {folder / 'README.md'}"
    if outcome.fruitless:
        board = f"no cell has a row, so {folder} is left as it is"
    typer.echo(
        f"{outcome.made} artifacts made, {outcome.found} found in the store; {board}", err=True
    )
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)
