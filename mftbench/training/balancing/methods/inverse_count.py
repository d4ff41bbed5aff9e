"""Inverse count: the fewer rows a task has, the more it weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mftbench.training.balancing.balancer import BalancedTask
from mftbench.training.balancing.methods.task_token import TaskTokenMean


class InverseCount(TaskTokenMean):
    """The mean of task losses weighed by the inverse of each task's number of training rows.

    ``sum_k (a_k / n_k) l_k / sum_k (a_k / n_k)``, n_k the rows that task k trains on. The weight
    that MFTCoder's code prints as "weighted by sample count" and then does not use. Cost: none.
    """

    def __init__(self, tasks: Sequence[BalancedTask]) -> None:
        super().__init__([replace(task, weight=task.weight / max(task.rows, 1)) for task in tasks])


BALANCER = InverseCount
