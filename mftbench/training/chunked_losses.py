"""Token losses without all logits at once, where those would not fit a budget of memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

BUDGET_BYTES = 256 * 2**20
"""What float32 logits of a micro-batch's supervised tokens may take; more is done in chunks."""
_CHUNK_BYTES = 64 * 2**20

# Settings by which models change their logits after the head; chunks end at the head.
_CHANGES = ("final_logit_softcapping", "logit_scale", "logits_scaling", "logits_scale")


def ends_in(model: nn.Module, head: nn.Module) -> bool:
    """Say whether a model's logits are what its head gives and nothing more, and the head is whole.

    A sharded head is not: it is whole only inside the model's own forward.
    """
    weight = getattr(head, "weight", None)
    if not isinstance(weight, Tensor) or type(weight.data) is not Tensor:
        return False
    config = getattr(model, "config", None)
    return all(getattr(config, name, None) in (None, 1, 1.0) for name in _CHANGES)


def wants_chunks(head: nn.Module, tokens: int) -> bool:
    """Say whether a micro-batch's logits are over the budget."""
    weight: Any = head.weight
    return bool(tokens * weight.shape[0] * 4 > BUDGET_BYTES)


def chunked_losses(head: nn.Module, hidden: Tensor, targets: Tensor) -> Tensor:
    """Give the cross-entropy of each target, chunk by chunk: (N,) float32, of hidden (N, size).

    A chunk's logits are made again in its backward pass, so at most one chunk's are held.
    """
    weight: Any = head.weight
    rows = max(_CHUNK_BYTES // (weight.shape[0] * 4), 1)
    parts = zip(hidden.split(rows), targets.split(rows), strict=True)  # type: ignore[no-untyped-call]
    return torch.cat([checkpoint(_losses, head, *part, use_reentrant=False) for part in parts])


def _losses(head: nn.Module, hidden: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(head(hidden).float(), targets, reduction="none")


@contextmanager
def bypassed(head: nn.Module) -> Iterator[None]:
    """Let a model's head give back the hidden states that it is given."""
    replaced: Any = head
    replaced.forward = lambda hidden: hidden
    try:
        yield
    finally:
        del replaced.forward
