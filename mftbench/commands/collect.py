"""``mftbench collect``: the board of a launched study, from what its units have made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mftbench.commands.options import StoreName
from mftbench.commands.run import show_outcome, write_outcome


def collect(
    launch: Annotated[str, typer.Argument(help="A launch's name, as run or plan gave it.")],
    store: StoreName,
    board: Annotated[Path, typer.Option(help="Board folder.", file_okay=False)],
) -> None:
    """Write the board of what is stored of a study; make nothing.

    Exit code 1: some cells are not finished; they are named. If none has a row, a board that is
    there is left as it is.
    """
    from mftbench.bench import Bench, Options, Seams
    from mftbench.launching.collecting import collect as collect_rows
    from mftbench.launching.late_sandbox import LateSandbox
    from mftbench.launching.launch import read_launch
    from mftbench.plan import plan
    from mftbench.progress import Silent
    from mftbench.store_at import open_store

    agreed = read_launch(open_store(store), launch)
    options = Options(store, tuple(map(Path, agreed.tasks_dirs)))
    seams = Seams(sandbox=LateSandbox(agreed.sandbox, agreed.images))
    with Bench(agreed.study, options, Silent(), seams) as bench:
        outcome = collect_rows(bench, plan(agreed.study, bench.context()))
    write_outcome(board, agreed.study, None, outcome)
    show_outcome(board, outcome)
