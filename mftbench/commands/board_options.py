"""The arguments that the commands on a board with its store share, and how they become evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mftbench.leaderboard.evidence import Evidence
    from mftbench.store_at import StoreAt

BoardName = Annotated[str, typer.Argument(help="A board's folder, or its name in leaderboards/.")]


def read_evidence(board: str, store: StoreAt, tasks_dirs: list[Path] | None) -> Evidence:
    """Read a board and what a store holds behind it.

    Raises UsageError if there is no such board.
    """
    from mftbench.leaderboard.evidence import gather
    from mftbench.leaderboard.files import find_board, read_board
    from mftbench.store_at import open_store

    return gather(read_board(find_board(board)), open_store(store), tasks_dirs or ())
