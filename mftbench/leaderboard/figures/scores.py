"""Scores with their intervals, paired differences, and pass@k curves."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mftbench.leaderboard.board import Section
from mftbench.leaderboard.cells import Column
from mftbench.leaderboard.evidence import Evidence
from mftbench.leaderboard.figures.theme import INK, colours, legend, markers, panels
from mftbench.leaderboard.pairs import Pair
from mftbench.leaderboard.table import Table
from mftbench.leaderboard.wording import qualified


def scores(evidence: Evidence, section: Section) -> Figure | None:
    """Draw each headline with its interval, a group per task, in percent."""
    table = section.main
    labels = [system.label for system in table.systems]
    colour, marker = colours(labels), markers(labels)
    figure, (axes,) = panels(1, height=0.8 + 0.15 * len(labels) * len(table.columns), across=1)
    step = 0.8 / len(labels)
    for place, system in enumerate(table.systems):
        points = _points(table, system.label, step * (place + 0.5) - 0.4)
        if points:
            _dots(axes, points, colour[system.label], marker[system.label], system.label)
    _tasks_down(axes, [qualified(each.label, table, [each]) for each in table.columns])
    axes.set_xlim(-2, 102)
    axes.set_xlabel("percent, with 95 % interval")
    legend(figure, axes)
    return figure


def differences(evidence: Evidence, section: Section) -> Figure | None:
    """Draw how far each MFT system is from mixed, by task and over all, in points."""
    pairs = [pair for pair in section.pairs if pair.b == "mixed" and pair.compared]
    if not pairs:
        return None
    columns = list(dict.fromkeys(column for pair in pairs for column, _ in pair.compared))
    rows = [qualified(column.label, section.main, [column]) for column in columns]
    rows.append(qualified("all tasks", section.main, columns))
    labels = [system.label for system in section.main.systems]  # a system looks alike everywhere
    colour, marker = colours(labels), markers(labels)
    figure, (axes,) = panels(1, height=0.9 + len(rows) * max(0.3, 0.16 * len(pairs)), across=1)
    step = 0.8 / len(pairs)
    for place, pair in enumerate(pairs):
        points = _differences(pair, columns, step * (place + 0.5) - 0.4)
        _dots(axes, points, colour[pair.a], marker[pair.a], pair.a)
    axes.axvline(0, color=INK, linewidth=0.9)
    _tasks_down(axes, rows)
    axes.set_xlabel("percentage points from mixed, with 95 % interval; right of 0 is better")
    legend(figure, axes)
    return figure


def pass_at_k(evidence: Evidence, section: Section) -> Figure | None:
    """Draw pass@k over k, a panel per task; None where no task has two k."""
    tables = [table for table in section.tasks if len(_ks(table)) > 1]
    if not tables:
        return None
    figure, axes = panels(len(tables))
    labels = [system.label for system in section.main.systems]
    colour, marker = colours(labels), markers(labels)
    for table, panel in zip(tables, axes, strict=True):
        for system in table.systems:
            points = [
                (k, 100 * cell.value)
                for k, column in _ks(table)
                if (cell := table.cell(system, column)) and cell.value is not None
            ]
            label = system.label
            panel.plot(
                *zip(*points, strict=True),
                color=colour[label],
                marker=marker[label],
                ms=4,
                label=label,
            ) if points else None
        panel.set_title(
            qualified(table.columns[0].label, table, [column for _, column in _ks(table)])
        )
        panel.set_xscale("log")
        panel.set_xticks([k for k, _ in _ks(table)], [str(k) for k, _ in _ks(table)])
        panel.minorticks_off()
        panel.set_xlabel("k")
        panel.set_ylim(0, 100)
    axes[0].set_ylabel("pass@k, percent")
    legend(figure, axes[0])
    return figure


Point = tuple[float, float, float, float]
"""x, y, and how far the interval goes to either side."""


def _points(table: Table, label: str, offset: float) -> list[Point]:
    system = next(system for system in table.systems if system.label == label)
    points = []
    for row, column in enumerate(table.columns):
        cell = table.cell(system, column)
        if cell is not None and cell.value is not None:
            low, high = cell.interval or (cell.value, cell.value)
            points.append(_point(cell.value, low, high, row + offset))
    return points


def _differences(pair: Pair, columns: Sequence[Column], offset: float) -> list[Point]:
    points = [
        _point(found.difference, found.low, found.high, columns.index(column) + offset)
        for column, found in pair.compared
    ]
    if pair.difference is not None and pair.interval is not None:
        points.append(_point(pair.difference, *pair.interval, len(columns) + offset))
    return points


def _point(value: float, low: float, high: float, y: float) -> Point:
    return 100 * value, y, max(0.0, 100 * (value - low)), max(0.0, 100 * (high - value))


def _dots(axes: Axes, points: Sequence[Point], colour: str, marker: str, label: str) -> None:
    x, y, left, right = zip(*points, strict=True)
    axes.errorbar(
        x, y, xerr=(left, right), fmt=marker, color=colour, ms=4.5, elinewidth=1.3, label=label
    )


def _tasks_down(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    for row in range(1, len(labels)):
        axes.axhline(row - 0.5, color=axes.spines["left"].get_edgecolor(), linewidth=0.6)


def _ks(table: Table) -> list[tuple[int, Column]]:
    first = table.columns[0].source
    found = [
        (int(column.metric.removeprefix("pass@")), column)
        for column in table.columns
        if column.metric.startswith("pass@") and column.source == first
    ]
    return sorted(found, key=lambda item: item[0])
