"""The weighted mean over the tasks that are present: what most methods end in."""

from __future__ import annotations

import torch
from torch import Tensor


def weighted_mean(losses: Tensor, weights: Tensor, present: Tensor) -> Tensor:
    """Give ``sum_k w_k l_k / sum_k w_k`` over present tasks, or 0 where their weights are all 0."""
    weights = weights.to(losses) * present
    total = weights.sum()
    return (losses * weights).sum() / torch.where(total > 0, total, 1.0)


def present_softmax(logits: Tensor, present: Tensor) -> Tensor:
    """Give the softmax over present tasks, and 0 for absent ones."""
    if not present.any():
        return torch.zeros_like(logits)
    return logits.masked_fill(~present, -torch.inf).softmax(0)
