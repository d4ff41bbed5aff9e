"""Causal attention of packed rows as batched bfloat16 products, block by block of queries.

torch's own kernel for CPUs multiplies small tiles, also where the processor has bfloat16 products:
for rows of 64 to 700 tokens it took 1.3 to 1.6 times as long, at the same exactness.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_ROWS = (
    256  # queries of a block: fewer cut more of what lies above the diagonal, more fill products
)


def serves(query: Tensor, dropout: float) -> bool:
    """Say whether this case is faster here: no dropout, on a CPU that multiplies bfloat16.

    ``query`` is as autocast left it.
    """
    return (
        query.dtype is torch.bfloat16
        and query.device.type == "cpu"
        and not dropout
        and torch.cpu._is_avx512_bf16_supported()
    )


def blocked_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    lengths: Sequence[int],
    scale: float,
    window: int | None = None,
) -> Tensor:
    """Attend causally within segments of ``lengths``, at most ``window`` tokens back.

    query: (heads, tokens, size); key, value: (groups, tokens, size), each for as many heads in a
    row. Gives (heads, tokens, size). Scores and softmax are float32; the other products have the
    inputs' type.
    """
    attended: Tensor = _Attention.apply(query, key, value, lengths, scale, window)  # type: ignore[no-untyped-call]
    return attended


@dataclass(frozen=True)
class _Block:
    """Queries ``first`` to ``end``, which see keys from ``start`` on.

    ``hidden``, (queries, n), is what they do not see of the last n of those keys.
    """

    start: int
    first: int
    end: int
    hidden: Tensor

    @property
    def queries(self) -> slice:
        return slice(self.first, self.end)

    @property
    def keys(self) -> slice:
        return slice(self.start, self.end)


def _blocks(lengths: Sequence[int], window: int | None) -> Iterator[_Block]:
    begin = 0
    for length in lengths:
        for first in range(begin, begin + length, _ROWS):
            end = min(first + _ROWS, begin + length)
            start = begin if window is None else max(begin, first - window + 1)
            # Without a window all keys before the block are seen by all of it.
            unsure = first if window is None else start
            distance = torch.arange(first, end).unsqueeze(1) - torch.arange(unsure, end)
            hidden = distance < 0 if window is None else (distance < 0) | (distance >= window)
            yield _Block(start, first, end, hidden)
        begin += length


class _Attention(torch.autograd.Function):
    """Keeps no probabilities: the backward pass makes a block's again."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        lengths: Sequence[int],
        scale: float,
        window: int | None,
    ) -> Tensor:
        ctx.save_for_backward(query, key, value)
        ctx.lengths, ctx.scale, ctx.window = lengths, scale, window
        # Tokens first in memory, which is how the next layer reads it.
        out = query.new_empty(query.transpose(0, 1).shape).transpose(0, 1)
        for block in _blocks(lengths, window):
            weights = _weights(_rows(query, block, key), key[:, block.keys], block, scale)
            _write(out, block, torch.bmm(weights.to(value), value[:, block.keys]))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value = ctx.saved_tensors
        query_grad = torch.empty_like(query)
        key_grad = torch.zeros_like(key, dtype=torch.float32)
        value_grad = torch.zeros_like(value, dtype=torch.float32)
        for block in _blocks(ctx.lengths, ctx.window):
            rows, keys = _rows(query, block, key), key[:, block.keys]
            given = _rows(grad, block, key)
            weights = _weights(rows, keys, block, ctx.scale)
            value_grad[:, block.keys] += torch.bmm(weights.to(grad).transpose(1, 2), given)
            wanted = _product(given, value[:, block.keys])
            slopes = torch._softmax_backward_data(wanted, weights, -1, weights.dtype)
            low = slopes.mul_(ctx.scale).to(grad)
            key_grad[:, block.keys] += torch.bmm(low.transpose(1, 2), rows)
            _write(query_grad, block, torch.bmm(low, keys))
        return query_grad, key_grad.to(key), value_grad.to(value), None, None, None


def _rows(tensor: Tensor, block: _Block, key: Tensor) -> Tensor:
    """Give a block's rows, those of heads that share keys one after another: (groups, n, size)."""
    grouped = tensor.view(len(key), -1, *tensor.shape[1:])
    return grouped[:, :, block.queries].flatten(1, 2)


def _write(tensor: Tensor, block: _Block, rows: Tensor) -> None:
    """Put a block's rows back where ``_rows`` found them."""
    grouped = tensor.view(len(rows), -1, *tensor.shape[1:])
    part = grouped[:, :, block.queries]
    part.copy_(rows.view(part.shape))


def _weights(rows: Tensor, keys: Tensor, block: _Block, scale: float) -> Tensor:
    """Give what each row takes of each key: (groups, n, keys) float32."""
    scores = _product(rows, keys).mul_(scale)
    by_head = scores.view(len(scores), -1, len(block.hidden), scores.shape[-1])
    by_head[..., -block.hidden.shape[1] :].masked_fill_(block.hidden, float("-inf"))
    return torch.softmax(scores, -1)


def _product(rows: Tensor, columns: Tensor) -> Tensor:
    # Not rounded: a score of 20 would be off by up to 0.06, its probability by 6 %.
    return torch.bmm(rows.float(), columns.float().transpose(1, 2))
