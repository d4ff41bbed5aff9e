"""``mftbench stage``: one unit of work of a launched study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mftbench.commands.options import StoreName


def stage(
    launch: Annotated[str, typer.Argument(help="A launch's name, as run or plan gave it.")],
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="What to make.")],
    store: StoreName,
    workers: Annotated[
        int, typer.Option(help="Programs at a time (default: one a core).", min=0)
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="Progress as JSON lines.")] = False,
) -> None:
    """Make some artifacts of a study and nothing else; for launchers and batch systems.

    Their inputs must be stored. What is stored already is not made again, so a call may be
    repeated. Standard output is one JSON object: counts, and the fault of each key not made.
    Exit code 1: some artifacts could not be made; 2: the store refuses, or nothing was tried.
    """
    from mftbench.bench import Bench, Options, Seams
    from mftbench.display import open_display
    from mftbench.launching.late_sandbox import LateSandbox
    from mftbench.launching.launch import read_launch
    from mftbench.launching.making import make
    from mftbench.launching.report import to_line
    from mftbench.store_at import open_store

    agreed = read_launch(open_store(store), launch)
    options = Options(store, tuple(map(Path, agreed.tasks_dirs)), workers)
    seams = Seams(sandbox=LateSandbox(agreed.sandbox, agreed.images))
    with Bench(agreed.study, options, open_display(json), seams) as bench:
        report = make(bench, keys)
    typer.echo(to_line(report))
    if report.exit_code:
        raise typer.Exit(report.exit_code)
