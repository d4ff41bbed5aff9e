"""``mftbench cards``: model cards and a study card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mftbench.commands.board_options import BoardName, read_evidence
from mftbench.commands.options import DEFAULT_STORE, StoreName, TaskFolders


def cards(
    study: BoardName,
    out: Annotated[Path, typer.Option(help="The folder to write to.", file_okay=False)] = Path(
        "cards"
    ),
    store: StoreName = DEFAULT_STORE,
    tasks_dir: TaskFolders = None,
) -> None:
    """Write a Hugging Face model card per trained model, and STUDY.md to make the study again."""
    from mftbench.leaderboard.cards import write_cards

    evidence = read_evidence(study, store, tasks_dir)
    for path in write_cards(evidence, out, tasks_dir or ()):
        typer.echo(str(path))
