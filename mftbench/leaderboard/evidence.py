"""A board with what the store still holds behind it: trainings and samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mftbench.leaderboard.answers import Answers, read_answers
from mftbench.leaderboard.board import Board
from mftbench.leaderboard.cells import System
from mftbench.leaderboard.trainings import Training, read_trainings
from mftbench.scoring.style import StyleSummary, summarise
from mftbench.store import Store


@dataclass(frozen=True)
class Evidence:
    """All that a report, its figures and its cards are made from."""

    board: Board
    trainings: tuple[Training, ...]
    answers: tuple[Answers, ...]

    def trainings_of(self, model: str) -> list[Training]:
        """Give the trainings of one base model."""
        return [training for training in self.trainings if training.system.model == model]

    @cached_property
    def styles(self) -> dict[tuple[System, str], StyleSummary]:
        """How each system answers, by system and "task (source)"."""
        groups: dict[tuple[System, str], list[Answers]] = {}
        for answers in self.answers:
            label = f"{answers.task} ({answers.source})"
            groups.setdefault((answers.system, label), []).append(answers)
        return {
            place: summarise(each.style for answers in group for each in answers.answers)
            for place, group in groups.items()
        }

    @property
    def missing(self) -> tuple[int, int]:
        """Count the trainings and the sample sets that rows name and the store lacks."""
        rows = self.board.rows
        trainings = {row.keys.train for row in rows if row.keys.train}
        scores = {row.keys.score for row in rows}
        return len(trainings) - len(self.trainings), len(scores) - len(self.answers)


def gather(board: Board, store: Store, tasks_dirs: Sequence[Path] = ()) -> Evidence:
    """Collect what a store holds behind a board; what it lacks is left out and counted."""
    return Evidence(
        board=board,
        trainings=tuple(read_trainings(store, board.rows)),
        answers=tuple(read_answers(store, board.rows, tasks_dirs)),
    )
