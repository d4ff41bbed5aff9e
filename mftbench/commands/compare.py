"""``mftbench compare``: two systems on the same problems, task by task."""

from __future__ import annotations

from typing import Annotated

import typer


def compare(
    a: Annotated[str, typer.Argument(help="BOARD/MODE or BOARD/MODE:BALANCER: laptop/mft.")],
    b: Annotated[str, typer.Argument(help="The same; without BOARD/ it is in A's board: mixed.")],
    model: Annotated[str, typer.Option(help="The base model, where a board has several.")] = "",
) -> None:
    """Compare two systems paired by problem: difference, interval, p, and a verdict in words.

    A board is a folder or a name in leaderboards/. Example: mftbench compare laptop/mft mixed
    """
    from mftbench.leaderboard.sides import compare_names
    from mftbench.leaderboard.terminal import print_pair

    print_pair(compare_names(a, b, model))
