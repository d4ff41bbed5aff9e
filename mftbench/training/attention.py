"""Attention that keeps packed rows apart: causal within each, nothing across."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward

from mftbench.errors import UsageError
from mftbench.training import blocked_attention, varlen_attention

_NAME = "mftbench_segments"


def isolate_segments(model: Any) -> None:
    """Let a model attend within the segments of a packed batch from now on.

    transformers makes no mask for an attention that it does not know, and none is needed.

    Raises UsageError for a model whose attention cannot be exchanged.
    """
    AttentionInterface.register(_NAME, segment_attention)
    try:
        model.set_attn_implementation(_NAME)
    except ValueError as error:
        raise UsageError(
            f"this model cannot train on packed rows: {error}; set optim.padding to 'dynamic'"
        ) from error


def segment_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attend within the segments that ``cu_seq_lens_q`` bounds; without it, as SDPA does.

    query: (1, heads, tokens, size); key, value: (1, groups, tokens, size). Each segment is a causal
    attention of its own: exact, and without work for pairs of tokens in different segments. Gives
    (1, tokens, heads, size).
    """
    segments = options.pop("cu_seq_lens_q", None)
    if segments is None:
        output, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, **options
        )
        return output, None
    window = options.get("sliding_window")
    query, key, value = (_as_computed(tensor) for tensor in (query, key, value))
    if blocked_attention.serves(query, dropout):
        lengths = segments.diff().tolist()
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        rows = blocked_attention.blocked_attention(
            query[0], key[0], value[0], lengths, scale, window
        )
        return rows.transpose(0, 1).unsqueeze(0), None
    groups = query.shape[1] // key.shape[1]
    key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    if varlen_attention.serves(query, dropout):
        longest = options["max_length_q"]
        rows = varlen_attention.varlen_attention(
            query[0], key[0], value[0], segments, longest, scaling, window
        )
        return rows.unsqueeze(0), None
    lengths = segments.diff().tolist()
    parts = (torch.split(tensor, lengths, dim=2) for tensor in (query, key, value))
    outputs = [_causal(q, k, v, window, dropout, scaling) for q, k, v in zip(*parts, strict=True)]
    return torch.cat(outputs, dim=2).transpose(1, 2), None


def _as_computed(tensor: Tensor) -> Tensor:
    """Give a tensor in the type that autocast has SDPA compute in."""
    kind = tensor.device.type
    return tensor.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else tensor


def _causal(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    window: int | None,
    dropout: float,
    scaling: float | None,
) -> Tensor:
    length = query.shape[2]
    if window is None or length <= window:
        return scaled_dot_product_attention(
            query, key, value, dropout_p=dropout, is_causal=True, scale=scaling
        )
    distance = torch.arange(length, device=query.device).unsqueeze(1) - torch.arange(
        length, device=query.device
    )
    mask = (distance >= 0) & (distance < window)
    return scaled_dot_product_attention(
        query, key, value, attn_mask=mask, dropout_p=dropout, scale=scaling
    )
