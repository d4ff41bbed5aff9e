"""Random loss weighting: weights drawn anew in every step."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from mftbench.training.balancing.balancer import BalancedTask, Balancer
from mftbench.training.balancing.probe import Probe
from mftbench.training.balancing.statistics import BatchStatistics
from mftbench.training.balancing.weighted_mean import present_softmax


class RandomLossWeighting(Balancer):
    """``sum_k w_k l_k`` with ``w = softmax(z)``, z standard normal in every step.

    What a method must beat to have learned anything. A draw is a function of the seed, the step and
    the task's name, so ranks agree and a resumed run goes on with the same. Source: Lin et al.,
    arXiv 2111.10603. Cost: none.
    """

    symmetric: ClassVar[bool] = False
    steps: Tensor

    def __init__(self, tasks: Sequence[BalancedTask], seed: int = 0) -> None:
        super().__init__(tasks)
        self.seed = seed
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Weigh the tasks by the step's draw."""
        draws = torch.tensor([self._draw(task.name) for task in self.tasks], dtype=losses.dtype)
        return (losses * present_softmax(draws, batch.present)).sum()

    def after_step(self, probe: Probe) -> None:
        """Let the next step draw anew."""
        self.steps += 1

    def _draw(self, name: str) -> float:
        text = f"{self.seed}:{int(self.steps)}:{name}".encode()
        seed = int.from_bytes(hashlib.sha256(text).digest()[:7])
        generator = torch.Generator().manual_seed(seed)
        return float(torch.randn((), generator=generator, dtype=torch.float64))


BALANCER = RandomLossWeighting
