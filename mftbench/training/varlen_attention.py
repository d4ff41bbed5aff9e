"""Causal attention of packed rows in one kernel: flash attention of variable lengths, on GPUs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.attention.varlen import varlen_attn

_WIDEST = 256  # numbers of a head that the kernel takes, and only multiples of 8


def serves(query: Tensor, dropout: float) -> bool:
    """Say whether the kernel takes this case: 16 bits, no dropout, NVIDIA's Ampere or later.

    ``query`` is as autocast left it.
    """
    size = query.shape[-1]
    return (
        query.device.type == "cuda"
        and query.dtype in (torch.bfloat16, torch.float16)
        and not dropout
        and size <= _WIDEST
        and size % 8 == 0
        and torch.cuda.get_device_capability(query.device) >= (8, 0)
    )


def varlen_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    segments: Tensor,
    longest: int,
    scale: float | None,
    window: int | None = None,
) -> Tensor:
    """Attend causally within segments, at most ``window`` tokens back, itself included.

    query, key, value: (heads, tokens, size); segments (n + 1,) int32: where they begin and end.
    Gives (tokens, heads, size).
    """
    back = -1 if window is None else window - 1
    rows: Any = varlen_attn(
        query.transpose(0, 1),
        key.transpose(0, 1),
        value.transpose(0, 1),
        segments,
        segments,
        longest,
        longest,
        scale=scale,
        window_size=(back, 0),
    )
    attended: Tensor = rows
    return attended
