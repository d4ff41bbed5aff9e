"""Task sample mean: every task counts by its weight, and in it every sample the same."""

from __future__ import annotations

from mftbench.training.balancing.methods.task_token import TaskTokenMean
from mftbench.training.balancing.statistics import SAMPLE


class TaskSampleMean(TaskTokenMean):
    """The mean over present tasks of each task's sample mean: Eq. 1 by samples, MFTCoder's case4.

    As ``TaskTokenMean``, with l_k the mean over samples of each sample's token mean. Cost: none.
    """

    level = SAMPLE


BALANCER = TaskSampleMean
