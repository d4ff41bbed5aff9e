"""Fixed weights: task means, weighed as the balancer's options say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from mftbench.errors import UsageError, unknown
from mftbench.training.balancing.balancer import BalancedTask
from mftbench.training.balancing.methods.task_token import TaskTokenMean
from mftbench.training.balancing.statistics import SAMPLE, TOKEN

_LEVELS = {"token": TOKEN, "sample": SAMPLE}


class FixedWeights(TaskTokenMean):
    """The weighted mean of the losses of present tasks, with weights named in the study.

    ``sum_k a_k l_k / sum_k a_k``, a_k from ``weights`` by task name; a task not named there keeps
    the study's weight. MFTCoder's ``task_weights``. Cost: none.
    """

    symmetric: ClassVar[bool] = False

    def __init__(
        self,
        tasks: Sequence[BalancedTask],
        weights: Mapping[str, float],
        level: Literal["token", "sample"] = "token",
    ) -> None:
        names = [task.name for task in tasks]
        for name, weight in weights.items():
            if name not in names:
                raise unknown("task", name, names, "weights of the balancer")
            if not (math.isfinite(weight) and weight >= 0):
                raise UsageError(f"weight {weight} of task {name!r} must be finite and >= 0")
        super().__init__([replace(t, weight=weights.get(t.name, t.weight)) for t in tasks])
        self.level = _LEVELS[level]


BALANCER = FixedWeights
