"""Decode one batch: left-padded prompts in, completions out, each row until its own end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from mftbench.inference.batches import Prompt
from mftbench.inference.cache import roomy_cache
from mftbench.inference.choice import Choose
from mftbench.inference.text import Detokenizer, cut, holds_stop

_CROWDED = 0.75
"""Share of unfinished rows below which the finished ones are dropped, which copies the cache."""


@dataclass
class Row:
    """What one prompt's completion has come to: its tokens, the one that ended it included."""

    prompt: Prompt
    ids: list[int] = field(default_factory=list)
    ended: bool = False


class Batch:
    """The model's state for the rows that are still decoded: cache, mask and positions."""

    def __init__(self, model: PreTrainedModel, prompts: Sequence[Prompt]) -> None:
        self._model = model
        self._cache: Any = roomy_cache(model.config)
        self._length = max(len(prompt.ids) for prompt in prompts)
        room = max(prompt.limit for prompt in prompts)
        mask = torch.ones(len(prompts), self._length + room, dtype=torch.long)
        ids = torch.zeros(len(prompts), self._length, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            padding = self._length - len(prompt.ids)
            mask[row, :padding] = 0
            ids[row, padding:] = torch.tensor(prompt.ids)
        positions = (mask[:, : self._length].cumsum(dim=-1) - 1).clamp(min=0)
        self._mask = mask.to(model.device)
        self._ids = ids.to(model.device)
        self._positions = positions.to(model.device)
        # A row that ended stays for a while; its positions must not leave those that a model has.
        last = torch.tensor([[len(prompt.ids) + prompt.limit - 1] for prompt in prompts])
        self._last = last.to(model.device)

    @torch.inference_mode()
    def logits(self) -> Tensor:
        """Run the model on the tokens that are new; return the logits after the last: (rows, V)."""
        outputs = self._model(
            input_ids=self._ids,
            attention_mask=self._mask[:, : self._length],
            position_ids=self._positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = outputs.logits[:, -1]
        return logits

    @torch.inference_mode()
    def append(self, tokens: Tensor) -> None:
        """Make the chosen tokens, (rows,), the next input."""
        self._ids = tokens.unsqueeze(-1)
        self._positions = torch.minimum(self._positions[:, -1:] + 1, self._last)
        self._length += 1

    @torch.inference_mode()
    def keep(self, rows: Tensor) -> None:
        """Drop all rows but these."""
        self._cache.batch_select_indices(rows)
        self._mask, self._ids = self._mask[rows], self._ids[rows]
        self._positions, self._last = self._positions[rows], self._last[rows]


class Ending:
    """When a row ends: at a special token, at a stop sequence, or at its limit."""

    def __init__(
        self, detokenizer: Detokenizer, special: frozenset[int], stop: Sequence[str]
    ) -> None:
        self._detokenizer = detokenizer
        self._special = special
        self._longest = max((len(sequence.encode()) for sequence in stop), default=0)

    def extend(self, rows: Sequence[Row], tokens: Sequence[int]) -> None:
        """Give each row its token, and end the rows that are at their end."""
        growing = [row for row in rows if not row.ended]
        for row, token in zip(rows, tokens, strict=True):
            if not row.ended:
                row.ids.append(token)
        ends = self._detokenizer.ends([row.ids for row in growing], self._longest)
        for row, end in zip(growing, ends, strict=True):
            self._finish(row, stopped=holds_stop(end, row.prompt.stop))

    def _finish(self, row: Row, *, stopped: bool) -> None:
        if row.ids[-1] in self._special or len(row.ids) >= row.prompt.limit:
            row.ended = True
        elif stopped:  # seen in the last tokens; what counts is the whole text
            _, row.ended = cut(self._detokenizer.text(row.ids), row.prompt.stop)


def decode(
    batch: Batch, rows: Sequence[Row], ending: Ending, choose: Choose, noise: Tensor
) -> Iterator[Row]:
    """Yield each row as it ends. ``noise``: (rows, steps).

    Which rows are dropped when is decided by the rows alone, so it is the same on every run.
    """
    live = list(rows)
    for step in range(noise.shape[1]):
        tokens = choose(batch.logits(), noise[:, step])
        growing = [row for row in live if not row.ended]
        ending.extend(live, tokens.tolist())
        yield from (row for row in growing if row.ended)
        batch.append(tokens)
        kept = [index for index, row in enumerate(live) if not row.ended]
        if not kept:
            return
        if len(kept) < _CROWDED * len(live):
            indices = torch.tensor(kept)
            batch.keep(indices.to(tokens.device))
            live, noise = [live[index] for index in kept], noise[indices]
