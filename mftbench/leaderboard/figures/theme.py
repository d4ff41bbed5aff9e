"""How figures look: one palette, one font, and an SVG that follows a page's light or dark theme."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, GRID = "#1b1f24", "#5b6470", "#d5dae0"
PAPER = "#fffffe"
# Paul Tol's bright and muted schemes, mixed: told apart by most forms of colour blindness.
SERIES = (
    *("#3b6fb6", "#d1702f", "#2f8f6b", "#b8447f", "#8a6fc9", "#a88a1c", "#3c9dbf", "#8f5b3a"),
    *("#6b7a2a", "#c4525a", "#4f6d7a", "#9c4fb0"),
)
MARKERS = "osD^vPX*<>ph"
NEUTRAL = "#868e97"

_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--line",
    PAPER: "--paper",
    NEUTRAL: "--neutral",
    **{colour: f"--series-{number}" for number, colour in enumerate(SERIES)},
}
_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "mftbench",
    "pdf.fonttype": 42,
    "text.color": INK,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.titlesize": 9,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house style; the caller's own settings come back afterwards."""
    with rc_context(_STYLE):
        yield


def panels(
    count: int, width: float = 7.2, height: float = 2.3, across: int = 3
) -> tuple[Figure, list[Axes]]:
    """Lay out ``count`` panels in rows of at most ``across``; inches."""
    columns = min(count, across)
    rows = -(-count // columns)
    figure = Figure(figsize=(width, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for spare in axes[count:]:
        spare.remove()
    return figure, axes[:count]


def colours(names: Sequence[str]) -> dict[str, str]:
    """Give each name its colour: grey to the base, the palette in order to all others."""
    others = [name for name in names if name != "base"]
    found = {name: SERIES[place % len(SERIES)] for place, name in enumerate(others)}
    return {name: found.get(name, NEUTRAL) for name in names}


def markers(names: Sequence[str]) -> dict[str, str]:
    """Give each name a marker, so that a figure is readable without its colours."""
    return {name: MARKERS[place % len(MARKERS)] for place, name in enumerate(names)}


def legend(figure: Figure, axes: Axes, columns: int = 5) -> None:
    """Put one legend for all panels under the figure."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(columns, len(labels)))


def inline_svg(figure: Figure, title: str) -> str:
    """Give a figure as an SVG element whose colours are the page's custom properties.

    The element has no fixed size and is named for screen readers by ``title``.
    """
    from html import escape

    text = _svg(figure)
    text = text[text.index("<svg") :]
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    text = re.sub(r"<metadata>[\s\S]*?</metadata>", "", text)
    width, height = re.search(r'viewBox="0 0 (\S+) (\S+)"', text).groups()  # type: ignore[union-attr]
    opening = (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {width} {height}" '
        f'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return opening + text[text.index(">") + 1 :]


def save(figure: Figure, path: Path, background: str = "none") -> None:
    """Write a figure for a paper, as its ending says; the same bytes for the same data."""
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with style():
        metadata = undated.get(path.suffix[1:])
        figure.savefig(path, metadata=metadata, bbox_inches="tight", facecolor=background)


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    with style():
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()
