"""Which studies may stand in one board: what may differ between them, and what may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mftbench.canonical import plain
from mftbench.errors import UsageError
from mftbench.leaderboard.files import RESULTS, STUDY
from mftbench.leaderboard.sweep import flat, is_sweep, varying
from mftbench.study import Study, load_study

CELLS = ("models", "modes", "balancers", "seeds")
"""The settings that say which cells there are; none changes what another cell is."""


def differing(studies: Sequence[Study]) -> tuple[str, ...]:
    """Name the settings that make cells of these studies incomparable.

    Models, tasks, modes, balancers, seeds and the baseline only say which cells there are; name and
    notes say nothing of them. Data are compared for the tasks that all studies have.
    """
    tasks = [task for task in studies[0].tasks if all(task in study.tasks for study in studies)]
    return varying([_settings(study, tasks) for study in studies])


def _settings(study: Study, tasks: Sequence[str]) -> dict[str, Any]:
    shared = replace(
        study,
        data={task: study.settings(task) for task in tasks},
        unseen=tuple(task for task in tasks if task in study.unseen),
    )
    free = ("name", "notes", "tasks", "baseline", *CELLS)
    return flat({name: value for name, value in plain(shared).items() if name not in free})


def continues(study: Study, known: Study) -> bool:
    """Say whether a study has every cell of a known one, unchanged."""
    return (
        not differing([study, known])
        and study.tasks == known.tasks
        and study.baseline >= known.baseline
        and all(each in getattr(study, kind) for kind in CELLS for each in getattr(known, kind))
    )


def taken(folder: Path, study: Study) -> str:
    """Say why a folder cannot take a study's board; nothing if it can."""
    if is_sweep(folder):
        return "holds a sweep"
    if (folder / STUDY).exists():
        try:
            known = load_study(folder / STUDY)
        except UsageError:
            return f"holds a {STUDY} that cannot be read"
        return "" if continues(study, known) else "holds the board of another study"
    return f"holds a board without a {STUDY}" if (folder / RESULTS).exists() else ""
