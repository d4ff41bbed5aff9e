"""All figures by name, in the order of a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from mftbench.errors import unknown
from mftbench.folders import make_folder
from mftbench.leaderboard.board import Section
from mftbench.leaderboard.evidence import Evidence
from mftbench.leaderboard.figures.answers import conciseness
from mftbench.leaderboard.figures.scores import differences, pass_at_k, scores
from mftbench.leaderboard.figures.theme import save, style
from mftbench.leaderboard.figures.trainings import affinity, loss, shares, weight
from mftbench.leaderboard.model_names import file_names


@dataclass(frozen=True)
class Plot:
    """One figure: ``draw`` gives None where the evidence has nothing to show."""

    draw: Callable[[Evidence, Section], Figure | None]
    caption: str


PLOTS = {
    "scores": Plot(scores, "Scores with 95 % intervals, by task."),
    "differences": Plot(differences, "Paired differences from mixed, by task and over all tasks."),
    "pass_at_k": Plot(pass_at_k, "pass@k over the number of samples k."),
    "loss": Plot(loss, "Training loss of every task over the optimizer steps, first seed."),
    "weight": Plot(weight, "Weight of every task's loss over the optimizer steps, first seed."),
    "shares": Plot(
        shares,
        "Imbalance: each task's share of the supervised tokens, and of the weight that training "
        "gave its loss; padding is the share of computed tokens that are none.",
    ),
    "affinity": Plot(affinity, "Task affinity: mean cosine of the tasks' gradients in training."),
    "conciseness": Plot(conciseness, "How systems answer: length, and explanation beside code."),
}

FORMATS = ("svg", "pdf")


def draw(name: str, evidence: Evidence, section: Section) -> Figure | None:
    """Draw one figure in the house style, or None where there is nothing to show."""
    with style():
        return PLOTS[name].draw(evidence, section)


def write_figures(evidence: Evidence, folder: Path, formats: tuple[str, ...]) -> Iterator[Path]:
    """Write every figure that has something to show, per base model and format.

    Raises UsageError for an unknown format.
    """
    for ending in formats:
        if ending not in FORMATS:
            raise unknown("figure format", ending, FORMATS)
    make_folder(folder)
    names = file_names(section.model for section in evidence.board.sections)
    for section in evidence.board.sections:
        for name in PLOTS:
            figure = draw(name, evidence, section)
            for ending in formats if figure is not None else ():
                suffix = f"-{names[section.model]}" if len(names) > 1 else ""
                path = folder / f"{name}{suffix}.{ending}"
                assert figure is not None
                save(figure, path)
                yield path
