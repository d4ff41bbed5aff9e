"""``mftbench view``: a study's report in a browser, served on this machine only."""

from __future__ import annotations

from typing import Annotated

import typer

from mftbench.commands.board_options import BoardName, read_evidence
from mftbench.commands.options import DEFAULT_STORE, StoreName, TaskFolders


def view(
    study: BoardName,
    port: Annotated[int, typer.Option(help="0: any free one.")] = 0,
    store: StoreName = DEFAULT_STORE,
    tasks_dir: TaskFolders = None,
) -> None:
    """Serve the report of a study on the loopback interface until interrupted."""
    from mftbench.leaderboard.report.page import render_report
    from mftbench.leaderboard.report.server import open_server

    page = render_report(read_evidence(study, store, tasks_dir))
    with open_server(page, port) as server:
        typer.echo(f"http://127.0.0.1:{server.server_address[1]}/  (Ctrl-C ends it)")
        server.serve_forever()
