"""Attention of one new token with grouped queries, without a copy of the keys for every head."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

_NAME = "mftbench_grouped"


def group_queries(model: PreTrainedModel) -> None:
    """Let a model that attends by SDPA use ``grouped_attention`` from now on."""
    if model.config._attn_implementation == "sdpa":
        AttentionInterface.register(_NAME, grouped_attention)
        AttentionMaskInterface.register(_NAME, sdpa_mask)
        model.set_attn_implementation(_NAME)


def grouped_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attend as transformers' SDPA does; the case of one new token per row is made cheaper.

    query: (rows, heads, new tokens, size); key, value: (rows, groups, tokens, size). Under a mask
    transformers repeats keys and values for every head of a group, on every step. With one new
    token the heads of a group can stand where SDPA expects the tokens of a query: they see the same
    keys and the same mask.
    """
    rows, heads, new, size = query.shape
    groups = key.shape[1]
    if new > 1 or heads == groups or options.get("position_bias") is not None:
        output, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **options
        )
        return output, None
    grouped = torch.nn.functional.scaled_dot_product_attention(
        query.reshape(rows, groups, heads // groups, size),
        key,
        value,
        attn_mask=attention_mask,
        scale=scaling,
    )
    return grouped.reshape(rows, 1, heads, size), None
