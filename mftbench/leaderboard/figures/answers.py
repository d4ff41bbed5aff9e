"""How systems answer: tokens per answer, and the share of explanation."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from mftbench.leaderboard.board import Section
from mftbench.leaderboard.evidence import Evidence
from mftbench.leaderboard.figures.theme import colours, legend, panels
from mftbench.leaderboard.wording import qualified
from mftbench.scoring.style import StyleSummary


def conciseness(evidence: Evidence, section: Section) -> Figure | None:
    """Draw the mean length and the explanation share of answers, by task and system."""
    if not evidence.styles:
        return None
    labels = [system.label for system in section.main.systems]
    figure, axes = panels(2, height=0.9 + 0.13 * len(labels) * len(section.main.columns), across=2)
    measures: tuple[tuple[str, Callable[[StyleSummary], float | None]], ...] = (
        ("tokens an answer", lambda found: found.tokens),
        ("explanation, percent of the characters", _explanation),
    )
    colour = colours(labels)
    columns = section.main.columns
    names = [qualified(column.label, section.main, [column]) for column in columns]
    step = 0.8 / len(labels)
    for panel, (title, measure) in zip(axes, measures, strict=True):
        for place, system in enumerate(section.main.systems):
            found = [
                (row, value)
                for row, column in enumerate(columns)
                if (style := evidence.styles.get((system, column.label)))
                and (value := measure(style)) is not None
            ]
            rows = [row + step * (place + 0.5) - 0.4 for row, _ in found]
            widths = [value for _, value in found]
            panel.barh(
                rows, widths, height=step * 0.9, color=colour[system.label], label=system.label
            )
        panel.set_title(title)
        panel.set_yticks(range(len(columns)), names)
        panel.set_ylim(len(columns) - 0.5, -0.5)
        panel.grid(axis="y", visible=False)
        panel.set_xlim(0, max(5.0, panel.get_xlim()[1]))
    axes[1].tick_params(labelleft=False)
    legend(figure, axes[0])
    return figure


def _explanation(found: StyleSummary) -> float | None:
    return None if found.explanation is None else 100 * found.explanation
