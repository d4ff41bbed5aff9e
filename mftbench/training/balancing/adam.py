"""Adam for a balancer's own few numbers, with its moments in the balancer's state."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TaskAdam(nn.Module):
    """Adam (Kingma and Ba, arXiv 1412.6980) on one value per task, each with a step count.

    So a task that is absent, whose gradient is unknown, keeps value, moments and count.
    """

    mean: Tensor
    square: Tensor
    steps: Tensor

    def __init__(self, tasks: int, lr: float, weight_decay: float = 0.0) -> None:
        super().__init__()
        self.lr = lr
        self.weight_decay = weight_decay
        for name in ("mean", "square", "steps"):
            self.register_buffer(name, torch.zeros(tasks, dtype=torch.float64))

    def step(self, values: Tensor, gradient: Tensor, present: Tensor) -> None:
        """Move ``values`` in place where ``present``: all (tasks,)."""
        gradient = gradient + self.weight_decay * values
        steps = self.steps + 1
        mean = 0.9 * self.mean + 0.1 * gradient
        square = 0.999 * self.square + 0.001 * gradient.square()
        size = (square / (1 - 0.999**steps)).sqrt() + 1e-8
        moved = values - self.lr * mean / (1 - 0.9**steps) / size
        for kept, new in (
            (values, moved), (self.mean, mean), (self.square, square), (self.steps, steps)
        ):  # fmt: skip
            kept.copy_(torch.where(present, new, kept))
