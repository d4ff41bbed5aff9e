"""What a board can see: per column the difference it would find, and the noise between seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from mftbench.leaderboard.cells import Column
from mftbench.leaderboard.pairs import Pair
from mftbench.leaderboard.table import Table
from mftbench.scoring.paired import Comparison
from mftbench.scoring.power import FEWEST_DISCORDANT, detectable_difference, noise_floor


@dataclass(frozen=True)
class Sight:
    """One column: ``detectable`` is None where nothing is, ``floor`` without two seeds.

    ``detectable`` supposes systems and seeds that disagree as much as the column's median pair
    does. Nothing is detectable without a comparison, or where too few problems are discordant.
    """

    column: Column
    problems: int
    detectable: float | None
    floor: float | None


def sights(table: Table, pairs: Sequence[Pair]) -> Iterator[Sight]:
    """Say for each column of a table what its comparisons could have seen."""
    for column in table.columns:
        cells = [cell for system in table.systems if (cell := table.cell(system, column))]
        ranked = [cell for cell in cells if cell.ranked]
        if not ranked:
            continue
        problems = ranked[0].first.problems
        found = [
            comparison
            for pair in pairs
            for compared, comparison in pair.compared
            if compared == column
        ]
        values = [
            [row.value for row in cell.rows if row.value is not None]
            for cell in ranked
            if cell.first.train_tasks  # a base's seeds are of its sampling: no training in them
        ]
        yield Sight(
            column=column,
            problems=problems,
            detectable=_detectable(problems, found),
            floor=noise_floor(values),
        )


def _detectable(problems: int, found: Sequence[Comparison]) -> float | None:
    if not found or median(each.wins + each.losses for each in found) < FEWEST_DISCORDANT:
        return None
    return detectable_difference(
        problems,
        median(each.disagreement for each in found),
        median(each.seed_spread for each in found),
    )
