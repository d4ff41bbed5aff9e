"""The loss path: supervised positions only, cross-entropy per token, sums by task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mftbench.training.balancing.statistics import Level, SampleIndex
from mftbench.training.batches import Batch, model_inputs
from mftbench.training.chunked_losses import (
    bypassed,
    came_through,
    chunked_losses,
    ends_in,
    wants_chunks,
)
from mftbench.training.frozen_losses import frozen_losses, is_frozen


@dataclass(frozen=True)
class TokenLosses:
    """The cross-entropy of each supervised token, (N,) float32, in the batch's order.

    ``hidden`` are the hidden states that the losses come from, (N, hidden), where the model's
    output head is known.
    """

    losses: Tensor
    hidden: Tensor | None


def token_losses(model: nn.Module, head: nn.Module | None, batch: Batch) -> Tensor:
    """Give the cross-entropy of each supervised token: (N,) float32, in the batch's order."""
    return forward_tokens(model, head, batch).losses


def forward_tokens(model: nn.Module, head: nn.Module | None, batch: Batch) -> TokenLosses:
    """Run the model and give the losses of supervised tokens, and the states they come from.

    Positions without label are dropped before ``head``, the model's output embeddings, where there
    is one; without, after it. The whole model's forward runs, so that what wraps it (DDP, FSDP,
    adapters) and what it does to its logits (scaling, soft caps) stay in force. Logits that would
    not fit a budget of memory are made in chunks, and those of a frozen head always.
    """
    targets = batch["targets"]
    if head is not None and ends_in(model, head):
        frozen = is_frozen(head)
        if frozen or wants_chunks(head, len(targets)):
            with bypassed(head), _only(batch["positions"], head) as seen:
                logits = model(**model_inputs(batch)).logits
            if came_through(logits, seen[0]):
                make: Any = frozen_losses if frozen else chunked_losses
                return TokenLosses(make(head, seen[0], targets), seen[0])
    with _only(batch["positions"], head) as seen:
        logits = model(**model_inputs(batch)).logits
    logits = logits.flatten(0, 1)
    if head is None:
        logits = logits[batch["positions"]]
    losses = cross_entropy(logits.float(), targets, reduction="none")
    return TokenLosses(losses, seen[0] if seen else None)


def sums_by_task(losses: Tensor, batch: Batch, level: Level) -> Tensor:
    """Sum token losses by task: (2, tasks), in tokens and in the level's units."""
    kind = _wide(losses)
    wide = losses.to(kind)
    index = SampleIndex(batch["samples"], batch["sample_sizes"])
    parts = torch.stack([wide, level.unit(wide, index)])
    zeros = torch.zeros((2, len(batch["task_tokens"])), dtype=kind, device=losses.device)
    return zeros.index_add(1, batch["tasks"], parts)


def _wide(losses: Tensor) -> torch.dtype:
    """Sum in float64, so that the order of micro-batches does not show; Apple's GPU has none."""
    return torch.float32 if losses.device.type == "mps" else torch.float64


@contextmanager
def _only(positions: Tensor, head: nn.Module | None) -> Iterator[list[Tensor]]:
    """Let the output head see some hidden states only, (R, T, H) becomes (1, N, H); tell which."""
    seen: list[Tensor] = []
    if head is None:
        yield seen
        return

    def select(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        hidden, *rest = args
        seen.append(hidden.flatten(0, 1)[positions])
        return (seen[-1].unsqueeze(0), *rest)

    hook = head.register_forward_pre_hook(select)
    try:
        yield seen
    finally:
        hook.remove()
