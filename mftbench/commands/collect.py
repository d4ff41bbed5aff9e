"""``mftbench collect``: the board of a launched study, from what its units have made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mftbench.commands.options import StoreFolder
from mftbench.commands.run import show_outcome


def collect(
    folder: Annotated[Path, typer.Argument(help="A launch folder, as run or plan wrote it.")],
    store: StoreFolder,
    board: Annotated[Path, typer.Option(help="Board folder.")],
) -> None:
    """Write the board of what is stored of a study; make nothing.

    Exit code 1: some cells are not finished; they are named.
    """
    from mftbench.bench import Bench, Options, Seams
    from mftbench.board_folder import write_results
    from mftbench.launching.collecting import collect as collect_rows
    from mftbench.launching.driving import Driven
    from mftbench.launching.late_sandbox import LateSandbox
    from mftbench.launching.launch import STUDY, read_launch
    from mftbench.plan import plan
    from mftbench.progress import Silent

    launch = read_launch(folder)
    options = Options(store, tuple(map(Path, launch.tasks_dirs)))
    seams = Seams(sandbox=LateSandbox(launch.sandbox, launch.images))
    with Bench(launch.study, options, Silent(), seams) as bench:
        outcome = collect_rows(bench, plan(launch.study, bench.context()), Driven())
    write_results(board, launch.study, folder / STUDY, outcome.rows)
    show_outcome(board, outcome)
