"""What happened in training: losses and weights per task, shares of data, task affinity."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mftbench.leaderboard.board import Section
from mftbench.leaderboard.evidence import Evidence
from mftbench.leaderboard.figures.theme import (
    INK,
    NEUTRAL,
    PAPER,
    SERIES,
    colours,
    legend,
    panels,
)
from mftbench.leaderboard.trainings import Affinity, Series, Training
from mftbench.leaderboard.wording import ABSENT


def loss(evidence: Evidence, section: Section) -> Figure | None:
    """Draw the training loss of every task over the steps, a panel per system."""
    return _curves(evidence, section, lambda training: training.loss, "loss, nats a token")


def weight(evidence: Evidence, section: Section) -> Figure | None:
    """Draw the weight of every task's loss over the steps, a panel per multi-task system."""
    return _curves(
        evidence,
        section,
        lambda training: training.weight if len(training.tasks) > 1 else {},
        "weight of the task's loss",
    )


def shares(evidence: Evidence, section: Section) -> Figure | None:
    """Draw each task's share of supervised tokens, and its mean weight under every system."""
    several = [each for each in _first_seeds(evidence, section) if len(each.shares) > 1]
    if not several:
        return None
    tasks = _tasks(section)
    bars = [("supervised tokens", {s.task: s.token_share for s in several[0].shares})]
    for each in several:
        padding = "" if each.padding_share is None else f"  ({each.padding_share:.0%} padding)"
        total = sum(share.weight for share in each.shares) or 1.0
        bars.append((each.label + padding, {s.task: s.weight / total for s in each.shares}))
    figure, (axes,) = panels(1, height=0.9 + 0.27 * len(bars), across=1)
    _stack(axes, tasks, bars)
    axes.set_xlabel("percent: share of tokens in the data, then share of the weight in training")
    legend(figure, axes)
    return figure


def affinity(evidence: Evidence, section: Section) -> Figure | None:
    """Draw the mean cosine of the tasks' gradients, a panel per training that measured it."""
    measured = [(each, each.affinity) for each in _first_seeds(evidence, section) if each.affinity]
    if not measured:
        return None
    figure, axes = panels(len(measured), height=3.4, across=2)
    for (training, found), panel in zip(measured, axes, strict=True):
        panel.set_title(training.label)
        _heat_map(panel, found)
    return figure


def _tasks(section: Section) -> list[str]:
    """Give the tasks in the table's order, so that each has one colour in all figures."""
    trained = {task for cell in section.main.cells.values() for task in cell.first.train_tasks}
    known = list(dict.fromkeys(column.task for column in section.main.columns))
    return known + sorted(trained - set(known))


def _first_seeds(evidence: Evidence, section: Section) -> list[Training]:
    """Give one training per label: that of the first seed."""
    found: dict[str, Training] = {}
    for training in evidence.trainings_of(section.model):
        found.setdefault(training.label, training)
    return list(found.values())


def _curves(
    evidence: Evidence, section: Section, series_of: Callable[[Training], Series], label: str
) -> Figure | None:
    groups: dict[str, dict[str, Sequence[tuple[int, float]]]] = {}
    for training in _first_seeds(evidence, section):
        if series := series_of(training):
            groups.setdefault(training.system.label, {}).update(series)
    if not groups:
        return None
    tasks = _tasks(section)
    colour = colours(tasks)
    figure, axes = panels(len(groups))
    top = max(value for group in groups.values() for line in group.values() for _, value in line)
    for (name, group), panel in zip(groups.items(), axes, strict=True):
        for task in tasks:
            if task in group:
                panel.plot(*zip(*group[task], strict=True), color=colour[task], label=task)
        panel.set_title(name)
        panel.set_ylim(0, top * 1.05)
        panel.set_xlabel("step")
    axes[0].set_ylabel(label)
    legend(figure, max(axes, key=lambda panel: len(panel.lines)))
    return figure


def _stack(axes: Axes, tasks: Sequence[str], bars: Sequence[tuple[str, dict[str, float]]]) -> None:
    colour, left = colours(tasks), [0.0] * len(bars)
    for task in tasks:
        widths = [100 * shares.get(task, 0.0) for _, shares in bars]
        axes.barh(range(len(bars)), widths, left=left, color=colour[task], label=task, height=0.7)
        for row, width in enumerate(widths):
            if width >= 6:
                place = left[row] + width / 2
                label = axes.text(place, row, f"{width:.0f}", ha="center", va="center", color=PAPER)
                label.set_in_layout(False)  # it lies inside its bar, and confuses the layout
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(bars)), [name for name, _ in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.grid(axis="y", visible=False)


def _heat_map(axes: Axes, found: Affinity) -> None:
    """Draw cosines as cells: blue where gradients agree, orange where they conflict."""
    size = len(found.tasks)
    for row, line in enumerate(found.mean):
        for column, cosine in enumerate(line):
            known = cosine or 0.0
            colour = SERIES[0] if known >= 0 else SERIES[1]
            axes.add_patch(_cell(column, row, colour, abs(known)))
            shown = ABSENT if cosine is None else f"{round(cosine, 2) + 0.0:.2f}"  # no "-0.00"
            axes.text(column, row, shown, ha="center", va="center", color=INK, size=8)
    axes.set_xlim(-0.5, size - 0.5)
    axes.set_ylim(size - 0.5, -0.5)
    axes.set_xticks(range(size), found.tasks, rotation=30, ha="right")
    axes.set_yticks(range(size), found.tasks)
    axes.set_aspect("equal")
    axes.grid(visible=False)
    if found.groups:
        groups = "\n".join(", ".join(group) for group in found.groups)
        axes.set_xlabel(f"groups that agree:\n{groups}", size=8)


def _cell(column: int, row: int, colour: str, strength: float) -> Rectangle:
    return Rectangle(
        (column - 0.5, row - 0.5),
        1,
        1,
        facecolor=colour,
        alpha=min(1.0, strength) * 0.75,
        edgecolor=NEUTRAL,
        linewidth=0.4,
    )
