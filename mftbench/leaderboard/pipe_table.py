"""Tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def pipe_table(
    head: Sequence[str], alignment: str, lines: Iterable[Sequence[str]]
) -> Iterator[str]:
    """Write a pipe table; ``alignment`` has one of l and r per column."""
    yield _line(head)
    yield _line([{"l": ":--", "r": "--:"}[side] for side in alignment])
    yield from map(_line, lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
