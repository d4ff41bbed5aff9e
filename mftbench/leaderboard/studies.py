"""Which studies may stand in one board: what may differ between them, and what may not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from mftbench.canonical import plain
from mftbench.errors import UsageError
from mftbench.leaderboard.files import RESULTS, STUDY
from mftbench.leaderboard.rows import Row, read_rows
from mftbench.leaderboard.sweep import flat, is_sweep, varying
from mftbench.study import Study, load_study

CELLS = ("models", "modes", "balancers", "seeds")
"""The settings that say which cells there are; none changes what another cell is."""

TRAINING = ("adapter", "optim", "parallel", "threads")
"""The settings that say how a model is trained: another base may well need others."""


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


def covers(study: Study, part: Study) -> bool:
    """Say whether a study has every cell of another, apart from the tasks that are mixed in it."""
    return (
        not differing([study, part])
        and study.baseline >= part.baseline
        and all(
            each in getattr(study, kind)
            for kind in ("tasks", *CELLS)
            for each in getattr(part, kind)
        )
    )


def continues(study: Study, known: Study) -> bool:
    """Say whether a study has every cell of a known one, unchanged."""
    return covers(study, known) and study.tasks == known.tasks


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


def joint_study(boards: Sequence[Path]) -> bytes | None:
    """Give the study file of boards that are to be joined, if it is one for all that have one.

    Raises UsageError naming the settings that differ where that makes their rows incomparable.
    Models that no two of them share may each have been trained in their own way.
    """
    files = [board / STUDY for board in boards if (board / STUDY).is_file()]
    studies = [load_study(file) for file in files]
    for (one, first), (other, second) in combinations(zip(files, studies, strict=True), 2):
        shared = set(first.models) & set(second.models)
        names = [
            name
            for name in differing([first, second])
            if shared or name.partition(".")[0] not in TRAINING
        ]
        if names:
            raise UsageError(
                f"the studies of {one.parent}, {other.parent} differ in {', '.join(names)}; "
                "merge only boards of one study"
            )
    same = studies and all(study == studies[0] for study in studies)
    return files[0].read_bytes() if same else None


def require_own(out: Path, boards: Sequence[Path], rows: Iterable[Row]) -> None:
    """Raise UsageError if the folder for joined boards holds something else.

    That is a sweep, a study without all cells of theirs, or a row that they do not have.
    """
    remedy = "name another folder by --out, or move this one away"
    if is_sweep(out):
        raise UsageError(f"{out} holds a sweep; {remedy}")
    own = load_study(out / STUDY) if (out / STUDY).is_file() else None
    for board in boards if own else ():
        part = load_study(board / STUDY) if (board / STUDY).is_file() else own
        if own and part and not covers(own, part):
            names = ", ".join(differing([own, part])) or "cells"
            raise UsageError(f"{out} holds another study than {board} ({names}); {remedy}")
    known = {row.order for row in rows}
    stored = read_rows(out / RESULTS) if (out / RESULTS).exists() else ()
    lost = sum(row.order not in known for row in stored)
    if lost:
        raise UsageError(f"{out} holds another board: {lost} rows would be lost; {remedy}")
