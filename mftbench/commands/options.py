"""The options that several commands share, and how they become a study and a bench."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mftbench.store_at import StoreAt, parse_store

if TYPE_CHECKING:
    from mftbench.study import Study

StudyName = Annotated[
    str, typer.Argument(help="A study file, a board folder, or a built-in study's name.")
]
Modes = Annotated[str, typer.Option(help="Only these modes: single,mixed,mft.")]
Tasks = Annotated[str, typer.Option(help="Only these tasks of the study, comma-separated.")]
Unseen = Annotated[str, typer.Option(help="Tasks to evaluate but not to train on.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a study key: optim.lr=1e-4."),
]
StoreName = Annotated[
    StoreAt,
    typer.Option(
        "--store",
        envvar="MFTBENCH_STORE",
        parser=parse_store,
        metavar="STORE",
        help="Where artifacts are kept: a folder, or a URL (s3://bucket/name).",
    ),
]
TaskFolders = Annotated[
    list[Path] | None, typer.Option("--tasks-dir", help="A folder of more task plugins.")
]
ReportTo = Annotated[
    str,
    typer.Option(
        "--report-to",
        envvar="MFTBENCH_REPORT_TO",
        help="Trackers that follow trainings, by commas: tensorboard, wandb, mlflow, trackio.",
    ),
]
Activations = Annotated[
    str,
    typer.Option(
        envvar="MFTBENCH_ACTIVATIONS",
        help="Of trainings: keep, recompute (less memory, slower), or auto: what a GPU holds.",
    ),
]
DEFAULT_STORE = StoreAt(Path(".mftbench") / "store")


def read_study(
    name: str, modes: str, tasks: str, unseen: str, overrides: list[str] | None
) -> tuple[Study, Path]:
    """Load a study by name and narrow it; give it with the file that it came from.

    Raises UsageError for anything wrong with it.
    """
    from mftbench.study import find_study, load_study, select

    path = find_study(name)
    return select(load_study(path, overrides or ()), modes, tasks, unseen), path


def finite(value: float) -> float:
    """Refuse what a range of an option lets pass: infinity, and what is no number."""
    if not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number.")
    return value


def choose_board(board: Path | None, study: Study, file: Path) -> Path:
    """Give the folder that was named, or choose one and say why if it is not the study's name.

    Raises UsageError for a named one that holds the board of another study.
    """
    from mftbench.board_folder import board_folder, require_free

    if board is None:
        return board_folder(study, file, lambda line: typer.echo(line, err=True))
    require_free(board, study)
    return board
