"""Small quadratic problems on inner products, solved exactly as non-negative least squares."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def shortest(gramian: Tensor) -> Tensor:
    """Minimise ``w^T G w`` over ``w >= 0, sum(w) = 1``: (n, n) to (n,).

    With ``G = F^T F``, the least squares of ``[F; 1] v = [0; 1]`` over ``v >= 0`` is, but for its
    scale, at the same w.
    """
    found = _least_squares(
        np.vstack([factor(gramian), np.ones(len(gramian))]), np.eye(len(gramian) + 1)[-1]
    )
    return torch.from_numpy(found / found.sum())


def at_least(lower: Tensor, gramian: Tensor) -> Tensor:
    """Minimise ``v^T G v`` over ``v >= lower``: (n,) and (n, n) to (n,)."""
    root = factor(gramian)
    added = _least_squares(root, -root @ lower.numpy())
    return lower + torch.from_numpy(added)


def factor(gramian: Tensor) -> np.ndarray:
    """Give F with ``F^T F = G``, scaled so that the largest gradient has length 1: (n, n)."""
    scale = gramian.diagonal().max().clamp(min=1e-300)
    values, vectors = torch.linalg.eigh(gramian / scale)
    root: np.ndarray = (values.clamp(min=0).sqrt() * vectors).T.numpy()
    return root


def _least_squares(matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
    from scipy.optimize import nnls

    solution: np.ndarray = nnls(matrix, target)[0]
    return solution
