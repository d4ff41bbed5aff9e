"""Task affinity: which tasks pull the trained parameters the same way, and which apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

Matrix = list[list[float | None]]


class Affinity:
    """Cosines of the tasks' gradients over training, and the groups that they suggest.

    A cosine is None where one of two tasks was absent.
    """

    def __init__(self, tasks: Sequence[str], every: int = 0) -> None:
        self.tasks = tuple(tasks)
        self.every = every
        self._steps: list[dict[str, Any]] = []

    def is_due(self, steps_taken: int) -> bool:
        """Say whether the coming step is measured: the first, and every so many after it."""
        return self.every > 0 and steps_taken % self.every == 0

    def add(self, step: int, gramian: Tensor) -> None:
        """Add the inner products of a step's task gradients: (tasks, tasks)."""
        lengths = gramian.diagonal().clamp(min=0).sqrt()
        cosines = gramian / torch.outer(lengths, lengths)  # NaN where a length is 0
        self._steps.append({"step": step, "cosine": _plain(cosines.clamp(-1, 1).numpy())})

    def report(self) -> dict[str, Any]:
        """Give the cosines by step, their mean over the steps, and the suggested groups."""
        matrices = np.array([step["cosine"] for step in self._steps], dtype=np.float64)
        known = ~np.isnan(matrices)
        mean = np.nansum(matrices, axis=0) / np.where(known.sum(0), known.sum(0), np.nan)
        return {
            "tasks": list(self.tasks),
            "steps": self._steps,
            "mean": _plain(mean),
            "conflicts": _conflicts(matrices, self.tasks),
            "groups": suggest_groups(mean, self.tasks),
        }

    def write(self, path: Path) -> None:
        """Write the report, if anything was measured."""
        if self._steps:
            path.write_text(json.dumps(self.report(), indent=1, allow_nan=False) + "\n")

    def state_dict(self) -> dict[str, Any]:
        """Give what was measured."""
        return {"steps": self._steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._steps = list(state["steps"])


def suggest_groups(mean: np.ndarray, tasks: Sequence[str]) -> list[list[str]]:
    """Group tasks whose gradients agree: average linkage, joined while the mean cosine is above 0.

    Tasks that were never measured together count as at right angles.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(tasks) < 2:
        return [list(tasks)]
    distances = 1 - np.nan_to_num((mean + mean.T) / 2)
    upper = distances[np.triu_indices(len(tasks), 1)].clip(min=0)
    labels = fcluster(linkage(upper, "average"), np.nextafter(1.0, 0.0), "distance").tolist()
    groups: dict[int, list[str]] = {}
    for task, label in zip(tasks, labels, strict=True):
        groups.setdefault(label, []).append(task)
    return list(groups.values())


def _conflicts(matrices: np.ndarray, tasks: Sequence[str]) -> list[dict[str, Any]]:
    """Give, for each two tasks, the share of measured steps in which their gradients conflict."""
    found = []
    for left, right in combinations(range(len(tasks)), 2):
        cosines = matrices[:, left, right]
        cosines = cosines[~np.isnan(cosines)]
        if len(cosines):
            share = float((cosines < 0).mean())
            found.append({"tasks": [tasks[left], tasks[right]], "share_of_steps": share})
    return found


def _plain(matrix: np.ndarray) -> Matrix:
    return [[None if np.isnan(cell) else float(cell) for cell in row] for row in matrix]
