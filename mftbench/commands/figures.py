"""``mftbench figures``: a study's figures as files for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mftbench.commands.board_options import BoardName, read_evidence
from mftbench.commands.options import DEFAULT_STORE, StoreName, TaskFolders


def figures(
    study: BoardName,
    out: Annotated[Path, typer.Option(help="The folder to write to.", file_okay=False)] = Path(
        "figures"
    ),
    format: Annotated[str, typer.Option(help="svg, pdf, or both: svg,pdf.")] = "svg,pdf",
    store: StoreName = DEFAULT_STORE,
    tasks_dir: TaskFolders = None,
) -> None:
    """Write the report's figures as SVG and PDF: scores, differences, losses, weights, shares, ...

    A figure that a study has no data for is left out.
    """
    from mftbench.errors import UsageError
    from mftbench.leaderboard.figures.catalogue import FORMATS, write_figures

    formats = tuple(part.strip() for part in format.split(",") if part.strip())
    if not formats:
        raise UsageError(f"--format {format!r} names no format; known: {', '.join(FORMATS)}")
    for path in write_figures(read_evidence(study, store, tasks_dir), out, formats):
        typer.echo(str(path))
