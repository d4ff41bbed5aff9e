"""PCGrad: of two gradients that conflict, each loses its part against the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from mftbench.training.balancing.balancer import BalancedTask
from mftbench.training.balancing.gradient_balancer import GradientBalancer
from mftbench.training.balancing.probe import Probe


class ProjectConflicts(GradientBalancer):
    """Gradient surgery: the mean of gradients, each projected off those that it conflicts with.

    For each task, in a random order of the others: where ``g_i . g_j < 0``, ``g_i`` becomes
    ``g_i - (g_i . g_j / ||g_j||^2) g_j``. The paper sums where this takes the mean. The order is a
    function of the seed and the step. Source: Yu et al., arXiv 2001.06782; solved by torchjd.
    Cost: a backward pass per task.
    """

    symmetric: ClassVar[bool] = False  # the order decides who gives way to whom
    steps: Tensor

    def __init__(self, tasks: Sequence[BalancedTask], seed: int = 0) -> None:
        super().__init__(tasks)
        self.seed = seed
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def combine(self, gramian: Tensor) -> Tensor:
        """Project by torchjd, which draws from the global generator."""
        from torchjd.aggregation import PCGradWeighting

        # torch.manual_seed would seed the GPUs' generators too, which dropout goes on with.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self.seed * 1_000_003 + int(self.steps))
            weights: Tensor = PCGradWeighting()(gramian)
        return weights / len(weights)

    def after_step(self, probe: Probe) -> None:
        """Let the next step draw another order."""
        self.steps += 1


BALANCER = ProjectConflicts
