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
_CHANGES = (
    "final_logit_softcapping",
    "lm_head_multiplier",
    "logit_scale",
    "logits_scale",
    "logits_scaling",
    "logits_soft_cap",
    "output_logit_soft_cap",
    "unpadded_vocab_size",
)


def ends_in(model: nn.Module, head: nn.Module) -> bool:
    """Say whether a model's logits are what its head gives, by its settings, and the head is whole.

    A sharded head is not: it is whole only inside the model's own forward.
    """
    weight = getattr(head, "weight", None)
    if not isinstance(weight, Tensor) or type(weight.data) is not Tensor:
        return False
    settings = _settings(model)
    return all(getattr(settings, name, None) in (None, 1, 1.0) for name in _CHANGES)


def _settings(model: nn.Module) -> Any:
    """Find a model's settings, also in what wraps it: DDP has none."""
    configs = (module.config for module in model.modules() if hasattr(module, "config"))
    config: Any = next(configs, None)
    return config.get_text_config() if hasattr(config, "get_text_config") else config


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


def came_through(logits: Tensor, hidden: Tensor) -> bool:
    """Say whether the logits of a bypassed head are what it was given: nothing changed them after.

    Settings do not tell of every change. Numbers that are not finite came through as they are.
    """
    given = logits.flatten(0, 1).to(hidden)
    exact: dict[str, Any] = {"rtol": 0, "atol": 0, "equal_nan": True}
    return given.shape == hidden.shape and torch.allclose(given, hidden, **exact)


@contextmanager
def bypassed(head: nn.Module) -> Iterator[None]:
    """Let a model's head give back the hidden states that it is given."""
    replaced: Any = head
    replaced.forward = lambda hidden: hidden
    try:
        yield
    finally:
        del replaced.forward
