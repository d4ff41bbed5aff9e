"""Choose the next token of each row from its logits and its own noise, and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from mftbench.stages import Sampling

Choose = Callable[[Tensor, Tensor], Tensor]
"""Logits (rows, vocabulary) and uniform numbers (rows,) to token ids (rows,)."""


def choose_by(sampling: Sampling) -> Choose:
    """Return the rule that picks tokens: greedy at temperature 0, else sampled."""
    if sampling.temperature == 0:
        return greedy
    return partial(sampled, temperature=sampling.temperature, top_p=sampling.top_p)


def noise(seeds: Sequence[int], steps: int) -> Tensor:
    """Draw one uniform number per row and step, each row from a generator of its own.

    Returns float64 on the CPU, (rows, steps), so that a sample is the same on every device.
    """
    return torch.stack(
        [
            torch.rand(steps, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
            for seed in seeds
        ]
    )


def greedy(logits: Tensor, uniform: Tensor) -> Tensor:
    """Choose the likeliest token, whatever the noise: (rows, vocabulary) to (rows,)."""
    return logits.argmax(dim=-1)


def sampled(logits: Tensor, uniform: Tensor, *, temperature: float, top_p: float) -> Tensor:
    """Choose where the cumulative distribution reaches ``uniform``: (rows, V), (rows,) to (rows,).

    ``top_p`` keeps the smallest set of likeliest tokens whose probability reaches it (Holtzman et
    al. 2020, section 3.1).
    """
    probabilities = (logits.float() / temperature).softmax(dim=-1).double()
    order = None
    if top_p < 1:
        probabilities, order = probabilities.sort(dim=-1, descending=True, stable=True)
        before = probabilities.cumsum(dim=-1) - probabilities
        probabilities = probabilities.masked_fill(before >= top_p, 0)
    cumulative = probabilities.cumsum(dim=-1)
    # Rounding may leave the last sum below 1, so the number is scaled to what the row reaches. The
    # first entry that exceeds it has a probability above zero, since the sum grew there.
    target = uniform.to(logits.device).unsqueeze(-1) * cumulative[:, -1:]
    chosen = torch.searchsorted(cumulative, target, right=True)
    chosen = chosen.clamp(max=logits.shape[-1] - 1)  # not-a-number logits of a diverged model
    return (chosen if order is None else order.gather(-1, chosen)).squeeze(-1)
