"""What the trainings behind a board's rows left: their curves, their cards, task affinities."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mftbench.errors import StoreError
from mftbench.itemlog import read_items
from mftbench.leaderboard.cells import System
from mftbench.leaderboard.rows import Row
from mftbench.store import Artifact, Store

Series = Mapping[str, Sequence[tuple[int, float]]]
"""Points (step, value) by task."""


@dataclass(frozen=True)
class TaskShare:
    """One task's part in a training: rows, supervised tokens, their share, its mean weight."""

    task: str
    rows: int
    tokens: int
    token_share: float
    weight: float


@dataclass(frozen=True)
class Affinity:
    """Mean cosine of the tasks' gradients over training, and groups that suggest themselves.

    A cosine is None where two tasks were never measured together.
    """

    tasks: tuple[str, ...]
    mean: tuple[tuple[float | None, ...], ...]
    groups: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Training:
    """One Train artifact: which system it is, and what it measured."""

    key: str
    system: System
    seed: int
    tasks: tuple[str, ...]
    spec: Mapping[str, Any]
    provenance: Mapping[str, Any]
    card: Mapping[str, Any] = field(default_factory=dict)
    loss: Series = field(default_factory=dict)
    weight: Series = field(default_factory=dict)
    affinity: Affinity | None = None

    @property
    def label(self) -> str:
        """Name the training: "mixed", "mft:famo", "single sql"."""
        return f"single {self.tasks[0]}" if self.system.mode == "single" else self.system.label

    @property
    def padding_share(self) -> float | None:
        """Give the share of padding among all tokens that were computed, if the card has it."""
        share = self.card.get("run", {}).get("padding_share")
        return None if share is None else float(share)

    @property
    def shares(self) -> list[TaskShare]:
        """Give each task's part, in the study's order."""
        run, rows = self.card.get("run", {}).get("tasks", {}), self.card.get("rows", {})
        return [
            TaskShare(
                task=task,
                rows=int(rows.get(task, {}).get("train", 0)),
                tokens=int(run[task]["supervised_tokens"]),
                token_share=float(run[task]["token_share"]),
                weight=float(run[task]["effective_weight"]),
            )
            for task in self.tasks
            if task in run
        ]


def read_trainings(store: Store, rows: Iterable[Row]) -> list[Training]:
    """Read every training behind some rows that the store still has, once, in a table's order."""
    found: dict[str, Row] = {}
    for row in rows:
        found.setdefault(row.keys.train, row)
    trainings = [
        _read(artifact, row)
        for key, row in found.items()
        if key and (artifact := store.peek("train", key)) is not None
    ]
    return sorted(trainings, key=lambda each: (each.system.rank, each.seed, each.tasks))


def _read(artifact: Artifact, row: Row) -> Training:
    steps = _lines(artifact.path / "metrics.jsonl")
    return Training(
        key=artifact.key,
        system=System(row.model, row.mode, row.balancer),
        seed=row.seed,
        tasks=row.train_tasks,
        spec=artifact.spec,
        provenance=artifact.provenance,
        card=_object(artifact.path / "card.json"),
        loss=_series(steps, "loss/task/"),
        weight=_series(steps, "weight/task/"),
        affinity=_affinity(artifact.path / "affinity.json"),
    )


def _series(steps: Iterable[Mapping[str, Any]], prefix: str) -> Series:
    series: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for line in steps:
        for name, value in line.items():
            if name.startswith(prefix) and isinstance(value, int | float):
                series[name.removeprefix(prefix)].append((int(line["step"]), float(value)))
    return dict(series)


def _affinity(path: Path) -> Affinity | None:
    found = _object(path)
    if len(found.get("tasks", ())) < 2:
        return None  # one task has nothing to agree with
    return Affinity(
        tasks=tuple(found["tasks"]),
        mean=tuple(tuple(line) for line in found["mean"]),
        groups=tuple(tuple(group) for group in found.get("groups", ())),
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    return list(read_items(path)) if path.exists() else []


def _object(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StoreError(
            f"{path}: not JSON ({error}); delete {path.parent} to re-make it"
        ) from error
    return value if isinstance(value, dict) else {}
