"""CAGrad: near the mean gradient, the step that serves the worst task best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mftbench.errors import UsageError
from mftbench.training.balancing.balancer import BalancedTask
from mftbench.training.balancing.gradient_balancer import GradientBalancer
from mftbench.training.balancing.least_squares import factor


class ConflictAverse(GradientBalancer):
    """Conflict-averse gradient descent.

    ``max_d min_k d . g_k`` with ``||d - g_0|| <= c ||g_0||``, g_0 the mean gradient. By duality
    ``d = g_0 + (c ||g_0|| / ||g_w||) g_w``, w the minimum of ``g_w . g_0 + c ||g_0|| ||g_w||`` over
    weights that are not negative and sum to 1. Source: Liu et al., arXiv 2110.14048. Cost: a
    backward pass per task.
    """

    def __init__(self, tasks: Sequence[BalancedTask], c: float = 0.5) -> None:
        if not 0 <= c < 1:
            raise UsageError(f"c of balancer 'cagrad' is {c}; it must be in [0, 1)")
        super().__init__(tasks)
        self.c = c

    def combine(self, gramian: Tensor) -> Tensor:
        """Solve the dual, and add its step to the mean."""
        root = factor(gramian)
        mean = np.full(len(root), 1 / len(root))
        radius = self.c * float(np.linalg.norm(root @ mean))
        worst = _worst(root, mean, radius)
        length = np.linalg.norm(root @ worst)
        return torch.from_numpy(mean + (radius / length * worst if length > 1e-12 else 0))


def _worst(root: np.ndarray, mean: np.ndarray, radius: float) -> np.ndarray:
    """Minimise the dual over the simplex, from the mean as the official code does."""
    from scipy.optimize import minimize

    inner = root.T @ root

    def value(w: np.ndarray) -> float:
        return float(w @ inner @ mean + radius * np.sqrt(max(w @ inner @ w, 0) + 1e-16))

    def slope(w: np.ndarray) -> np.ndarray:
        along: np.ndarray = inner @ w
        pull: np.ndarray = inner @ mean + radius * along / np.sqrt(max(w @ along, 0) + 1e-16)
        return pull

    solution: np.ndarray = minimize(
        value,
        mean,
        jac=slope,
        method="SLSQP",
        bounds=[(0, 1)] * len(mean),
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        options={"ftol": 1e-15, "maxiter": 1000},
    ).x
    return solution


BALANCER = ConflictAverse
