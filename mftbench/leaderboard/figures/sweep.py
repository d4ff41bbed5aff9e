"""A sweep's scores over its settings."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mftbench.leaderboard.board import Section
from mftbench.leaderboard.cells import Column
from mftbench.leaderboard.figures.theme import colours, legend, markers, panels, style
from mftbench.leaderboard.sweep import Sweep
from mftbench.leaderboard.wording import qualities

STEP = 0.08
"""How far systems stand apart on one setting, so that their intervals do not cover each other."""


def draw_sweep(sweep: Sweep) -> Figure:
    """Draw every system's score with its interval over the boards, a panel per base and column."""
    sections = [(at, each) for at, board in enumerate(sweep.boards) for each in board.sections]
    places = list(
        dict.fromkeys((each.model, column) for _, each in sections for column in each.main.columns)
    )
    labels = list(
        dict.fromkeys(system.label for _, each in sections for system in each.main.systems)
    )
    with style():
        figure, axes = panels(len(places), height=2.8, across=2)
        for (model, column), panel in zip(places, axes, strict=True):
            own = [(at, each) for at, each in sections if each.model == model]
            _lines(panel, own, column, labels)
            cells = (each.main.cell(s, column) for _, each in own for s in each.main.systems)
            said = qualities(cell for cell in cells if cell)
            panel.set_title(f"{model}: {column.label} {column.metric}\n{said}".strip())
            names = [board.name.rpartition("/")[2] for board in sweep.boards]
            panel.set_xticks(range(len(names)), names)
            panel.set_ylim(-2, 102)
        axes[0].set_ylabel("percent, with 95 % interval")
        legend(figure, axes[0])
    return figure


def _lines(
    axes: Axes, sections: list[tuple[int, Section]], column: Column, labels: list[str]
) -> None:
    colour, marker = colours(labels), markers(labels)
    for number, label in enumerate(labels):
        points = list(_points(sections, column, label))
        if points:
            x, y, low, high = zip(*points, strict=True)
            axes.errorbar(
                [at + STEP * number for at in x],
                y,
                yerr=(low, high),
                color=colour[label],
                marker=marker[label],
                ms=4.5,
                elinewidth=1,
                label=label,
            )


def _points(
    sections: list[tuple[int, Section]], column: Column, label: str
) -> Iterator[tuple[int, float, float, float]]:
    """Give place, percent, and how far the interval goes down and up."""
    for at, section in sections:
        for system in section.main.systems:
            cell = section.main.cell(system, column)
            if system.label == label and cell is not None and cell.value is not None:
                low, high = cell.interval or (cell.value, cell.value)
                yield at, 100 * cell.value, 100 * (cell.value - low), 100 * (high - cell.value)
