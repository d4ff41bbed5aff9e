"""Which rows make a global batch: drawn by seed and epoch alone, by the tasks' shares."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Sampler

from mftbench.errors import UsageError
from mftbench.stages import Optim
from mftbench.training.tokens import Ints, TokenTable

Shares = NDArray[np.float64]


class GlobalBatchSampler(Sampler[list[int]]):
    """Draw an epoch's rows into global batches of ``window`` rows; the last may be smaller.

    The draw depends on seed and epoch alone, not on how a global batch is laid out: padding,
    packing and the grouping of lengths happen inside a global batch. Grouping lengths across would
    fill each with one task, tasks having their own lengths, and leave nothing to balance.

    ``tasks`` are the rows' tasks, (rows,). Without ``shares``, (tasks,), an epoch is every row
    once. With them it is as many rows, of each task its share; a task's rows then come in shuffled
    rounds that go on from epoch to epoch, every row once a round.
    """

    def __init__(
        self, tasks: Ints, *, window: int, seed: int, shares: Shares | None = None
    ) -> None:
        self.tasks = tasks
        self.window = window
        self.seed = seed
        self.shares = shares
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self.tasks) // self.window)

    def __iter__(self) -> Iterator[list[int]]:
        order = self.order(self.epoch)
        for start in range(0, len(order), self.window):
            yield order[start : start + self.window].tolist()

    def order(self, epoch: int) -> Ints:
        """Give an epoch's rows in the order in which they are trained on: (rows,)."""
        drawn = np.arange(len(self.tasks)) if self.shares is None else self._drawn(epoch)
        return drawn[self._shuffled(f"{self.seed}:{epoch}", len(drawn))]

    def _drawn(self, epoch: int) -> Ints:
        assert self.shares is not None
        quotas = apportion(self.shares, len(self.tasks))
        return np.concatenate(
            [self._rounds(task, epoch * quota, quota) for task, quota in enumerate(quotas.tolist())]
        )

    def _rounds(self, task: int, start: int, count: int) -> Ints:
        """Give rows ``start`` to ``start + count`` of a task's endless sequence of rounds."""
        rows = np.flatnonzero(self.tasks == task)
        if not count:
            return rows[:0]
        first, last = start // len(rows), (start + count - 1) // len(rows)
        rounds = [
            rows[self._shuffled(f"{self.seed}:task {task}:round {number}", len(rows))]
            for number in range(first, last + 1)
        ]
        offset = start - first * len(rows)
        return np.concatenate(rounds)[offset : offset + count]

    @staticmethod
    def _shuffled(name: str, count: int) -> Ints:
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7])
        order: Ints = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).numpy()
        return order


def apportion(shares: Shares, total: int) -> Ints:
    """Divide ``total`` rows by shares that sum to 1, by largest remainder; ties go to the first."""
    exact = shares * total
    quotas = np.floor(exact).astype(np.int64)
    left = total - int(quotas.sum())
    quotas[np.argsort(-(exact - quotas), kind="stable")[:left]] += 1
    return quotas


def _temperature(counts: Shares, temperature: float) -> Shares:
    """p_k proportional to n_k^(1/T) (mT5, arXiv 2010.11934); T = 1 is proportional."""
    powers = (counts / counts.sum()) ** (1 / temperature)
    return np.asarray(powers / powers.sum())


TASK_SAMPLING: dict[str, Callable[[Shares, Optim], Shares | None]] = {
    "proportional": lambda counts, optim: None,
    "uniform": lambda counts, optim: _temperature(counts, float("inf")),
    "temperature": lambda counts, optim: _temperature(counts, optim.sampling_temperature),
}
"""The tasks' shares of an epoch's rows by the name that ``optim.task_sampling`` gives them."""


def make_sampler(rows: TokenTable, optim: Optim, window: int, seed: int) -> GlobalBatchSampler:
    """Make the sampler that ``optim.task_sampling`` names; every task must have rows.

    Raises UsageError if a task's share of an epoch is less than a row.
    """
    counts = np.bincount(rows.tasks).astype(np.float64)
    shares = TASK_SAMPLING[optim.task_sampling](counts, optim)
    if shares is not None and not apportion(shares, len(rows.tasks)).all():
        raise UsageError(
            f"optim.sampling_temperature is {optim.sampling_temperature}: a task is never drawn at "
            "it; raise it"
        )
    return GlobalBatchSampler(rows.tasks, window=window, seed=seed, shares=shares)


def steps_of_budget(sampler: GlobalBatchSampler, lengths: NDArray[Any], tokens: int) -> int:
    """Count the steps that train on at least ``tokens`` tokens, prompts included.

    Raises UsageError for a budget below 1.
    """
    if tokens < 1 or not len(lengths):
        raise UsageError(f"optim.tokens is {tokens}; a budget must be at least 1")
    steps, epoch, left = 0, 0, tokens
    while True:
        order = sampler.order(epoch)
        starts = np.arange(0, len(order), sampler.window)
        reached = np.add.reduceat(lengths[order], starts).cumsum()
        if reached[-1] >= left:
            return steps + int(np.searchsorted(reached, left)) + 1
        steps, epoch, left = steps + len(starts), epoch + 1, left - int(reached[-1])
