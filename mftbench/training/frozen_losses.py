"""Token losses of a frozen output head, with their gradient made on the way."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_CHUNK_BYTES = 24 * 2**20  # of float32 logits: few enough to stay near the processor
_GPU_CHUNK_BYTES = 512 * 2**20  # and enough to fill a GPU


def is_frozen(head: nn.Module | None) -> bool:
    """Say whether a head is a plain linear layer of which nothing is trained."""
    return type(head) is nn.Linear and not any(p.requires_grad for p in head.parameters())


def frozen_losses(head: nn.Linear, hidden: Tensor, targets: Tensor) -> Tensor:
    """Give the cross-entropy of each target: (N,) float32, of hidden (N, size).

    A token's loss moves nothing but its own hidden state, so the gradients of all of them are known
    chunk by chunk before it is known what each loss is multiplied by. No logits are kept, and any
    number of backward passes through the head costs next to nothing.
    """
    keep = torch.is_grad_enabled() and hidden.requires_grad
    losses: Tensor = _Losses.apply(hidden, head.weight, head.bias, targets, keep)  # type: ignore[no-untyped-call]
    return losses


class _Losses(torch.autograd.Function):
    """hidden (N, size), weight (V, size), bias (V,) or None, targets (N,); ``keep`` gradients."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, keep: bool
    ) -> Tensor:
        budget = _CHUNK_BYTES if hidden.device.type == "cpu" else _GPU_CHUNK_BYTES
        rows = max(budget // (len(weight) * 4), 1)
        losses = hidden.new_empty(len(targets), dtype=torch.float32)
        slopes = torch.empty_like(hidden) if keep else None
        for start in range(0, len(targets), rows):
            part = slice(start, start + rows)
            logits = nn.functional.linear(hidden[part], weight, bias)
            places = targets[part].unsqueeze(1)
            logs = torch.log_softmax(logits.float(), dim=-1)
            losses[part] = -logs.gather(1, places).squeeze(1)
            if slopes is not None:
                wrong = logs.exp_().scatter_add_(1, places, -torch.ones_like(losses[part, None]))
                slopes[part] = wrong.to(logits.dtype) @ weight.to(logits.dtype)
        ctx.save_for_backward(slopes)
        return losses

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (slopes,) = ctx.saved_tensors
        return (slopes.float() * grad.unsqueeze(1)).to(slopes), None, None, None, None
