"""Find what a person means by "laptop/mft" and "mixed": a system of a board."""

from __future__ import annotations

from mftbench.errors import UsageError, unknown
from mftbench.leaderboard.board import Board, Section
from mftbench.leaderboard.cells import Column
from mftbench.leaderboard.files import find_board, read_board
from mftbench.leaderboard.pairs import Pair, Side, make_pair
from mftbench.leaderboard.table import Table


def compare_names(a: str, b: str, model: str = "") -> Pair:
    """Compare two systems, each written BOARD/MODE or BOARD/MODE:BALANCER.

    The second may leave its board out. ``model`` chooses the base where a board has several. Raises
    UsageError for a name that means nothing, or several things.
    """
    board_a, _, system_a = a.rpartition("/")
    board_b, _, system_b = b.rpartition("/")
    if not board_a:
        raise UsageError(f"{a!r} names no board; write BOARD/MODE, for example laptop/{a}")
    left = _section(read_board(find_board(board_a)), model).main
    right = _section(read_board(find_board(board_b)), model).main if board_b else left
    columns: list[Column] = list(dict.fromkeys((*left.columns, *right.columns)))
    name_b = b if board_b else f"{board_a}/{b}"
    return make_pair(_side(a, left, system_a), _side(name_b, right, system_b), columns)


def _section(board: Board, model: str) -> Section:
    sections = {section.model: section for section in board.sections}
    if model:
        if model not in sections:
            raise unknown("model", model, sections, f"board {board.name}")
        return sections[model]
    if len(sections) != 1:
        names = ", ".join(sections) or "none"
        raise UsageError(f"board {board.name} has {len(sections)} models ({names}); name --model")
    return board.sections[0]


def _side(name: str, table: Table, wanted: str) -> Side:
    labels = {system.label: system for system in table.systems}
    found = [system for system in table.systems if wanted in (system.label, system.mode)]
    if not found:
        raise unknown("system", wanted, labels, name)
    if len(found) > 1:
        raise UsageError(
            f"{name!r} is one of {', '.join(system.label for system in found)}; name its balancer"
        )
    return Side(name, table.cells, found[0])
