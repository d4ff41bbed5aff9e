"""``mftbench report``: one self-contained HTML page of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mftbench.commands.board_options import BoardName, read_evidence
from mftbench.commands.options import DEFAULT_STORE, StoreName, TaskFolders


def report(
    study: BoardName,
    out: Annotated[
        Path | None, typer.Option(help="The file to write [default: NAME-report.html].")
    ] = None,
    store: StoreName = DEFAULT_STORE,
    tasks_dir: TaskFolders = None,
) -> None:
    """Write a page with the tables, curves and every sample of a study; it works offline.

    Tables come from the board's results.jsonl; curves and samples from the store, as far as it
    still has them.
    """
    from mftbench.leaderboard.files import publish
    from mftbench.leaderboard.report.page import render_report

    evidence = read_evidence(study, store, tasks_dir)
    path = out or Path(f"{evidence.board.name.replace('/', '-')}-report.html")
    publish(path, render_report(evidence))
    typer.echo(f"{path} ({path.stat().st_size / 1e6:.1f} MB)", err=True)
