"""How rows become the tensors of a micro-batch, padded or packed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from mftbench.training.balancing.statistics import BatchStatistics
from mftbench.training.tokens import TokenRow

# Stands in where a rank has no rows while others have; it supervises nothing.
FILLER = TokenRow(task=0, input_ids=(0,), prompt_length=1)


# One micro-batch of T token slots, N of them supervised and kept flat:
#   input_ids: (rows, width) padded, (1, T) packed;  positions (N,): of the hidden states that
#   predict, in the flat order of all slots;  targets (N,);  tasks (N,);  samples (N,): the token's
#   sample, counted from 0;  sample_sizes (N,): supervised tokens of it;  task_tokens, task_samples
#   (tasks,): what of each task is supervised;  row_tasks (rows,);  real_tokens (1,).
# A packed one has also  position_ids (1, T): restart with every row;  segments (rows + 1,) int32:
#   where rows begin and end.
Batch: TypeAlias = dict[str, Tensor]


def statistics(batch: Batch) -> BatchStatistics:
    """Give what a micro-batch holds of each task."""
    return BatchStatistics(batch["task_tokens"], batch["task_samples"])


def token_tasks(batch: Batch) -> Tensor:
    """Give the task of each token slot, padding included: as ``input_ids``."""
    tasks = batch["row_tasks"]
    if "segments" in batch:
        return tasks.repeat_interleave(batch["segments"].diff()).unsqueeze(0)
    return tasks.unsqueeze(1).expand_as(batch["input_ids"])


def model_inputs(batch: Batch) -> dict[str, Any]:
    """Give what the model's forward is called with.

    Never an attention mask: padding is on the right and attention is causal, so no supervised token
    sees it; and packed rows are kept apart by positions and segments, which a mask of ones would
    switch off without a word. Never a cache, for the same reason.
    """
    inputs: dict[str, Any] = {"input_ids": batch["input_ids"], "use_cache": False}
    if "segments" in batch:
        longest = int(batch["segments"].diff().max())
        inputs["position_ids"] = batch["position_ids"]
        inputs["cu_seq_lens_q"] = inputs["cu_seq_lens_k"] = batch["segments"]
        inputs["max_length_q"] = inputs["max_length_k"] = longest
    return inputs


def collate_padded(rows: Sequence[TokenRow], tasks: int, width: int | None = None) -> Batch:
    """Put rows side by side, as wide as the longest or as given."""
    ids = [_ids(row) for row in rows]
    width = width or max(map(len, ids))
    input_ids = torch.zeros((len(rows), width), dtype=torch.int64)
    for index, row_ids in enumerate(ids):
        input_ids[index, : len(row_ids)] = row_ids
    starts = torch.arange(len(rows)) * width
    return {"input_ids": input_ids} | _supervision(rows, ids, starts, tasks)


def collate_packed(rows: Sequence[TokenRow], tasks: int) -> Batch:
    """Put rows one after another."""
    ids = [_ids(row) for row in rows]
    lengths = torch.tensor([len(row_ids) for row_ids in ids])
    ends = lengths.cumsum(0)
    starts = ends - lengths
    position_ids = torch.arange(int(ends[-1])) - starts.repeat_interleave(lengths)
    return {
        "input_ids": torch.cat(ids).unsqueeze(0),
        "position_ids": position_ids.unsqueeze(0),
        "segments": torch.cat([torch.zeros(1, dtype=torch.int64), ends]).int(),
    } | _supervision(rows, ids, starts, tasks)


def supervised_tokens(length: int, prompt_length: int) -> int:
    """Count the tokens to predict: those after the prompt, but never the first, without a past."""
    return max(length - max(prompt_length, 1), 0)


def _ids(row: TokenRow) -> Tensor:
    return torch.from_numpy(np.asarray(row.input_ids).astype(np.int64))


def _supervision(
    rows: Sequence[TokenRow], ids: Sequence[Tensor], starts: Tensor, total: int
) -> Batch:
    """Say what is supervised; ``starts`` are the rows' first slots."""
    prompts = [max(row.prompt_length, 1) for row in rows]
    sizes = torch.tensor([supervised_tokens(len(row.input_ids), row.prompt_length) for row in rows])
    tasks = torch.tensor([row.task for row in rows])
    places = [
        torch.arange(int(start) + prompt - 1, int(start) + len(row_ids) - 1)
        for start, prompt, row_ids in zip(starts, prompts, ids, strict=True)
        if len(row_ids) > prompt
    ]
    nothing = torch.zeros(0, dtype=torch.int64)
    return {
        "positions": torch.cat([nothing, *places]),
        "targets": torch.cat(
            [nothing, *(row[prompt:] for row, prompt in zip(ids, prompts, strict=True))]
        ),
        "tasks": tasks.repeat_interleave(sizes),
        "samples": torch.arange(len(rows)).repeat_interleave(sizes),
        "sample_sizes": sizes.repeat_interleave(sizes),
        "task_tokens": _count(tasks, sizes, total),
        "task_samples": _count(tasks, (sizes > 0).long(), total),
        "row_tasks": tasks,
        "real_tokens": torch.tensor([sum(map(len, ids))]),
    }


def _count(tasks: Tensor, amounts: Tensor, total: int) -> Tensor:
    return torch.zeros(total, dtype=torch.int64).index_add(0, tasks, amounts)
