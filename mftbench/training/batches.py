"""Which rows make a global batch, and how a micro-batch of them becomes tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from mftbench.training.balancing.statistics import BatchStatistics
from mftbench.training.data import TokenRow, supervised_tokens

# Fills the last micro-batch where several ranks must have equally many; it supervises nothing.
_FILLER = TokenRow(task=0, input_ids=(0,), prompt_length=1)


# One micro-batch of R padded rows of T tokens, N of them supervised and kept flat:
#   input_ids (R, T);  positions (N,): of the hidden states that predict, in the flat (R * T) order;
#   targets (N,);  tasks (N,);  sample_sizes (N,): supervised tokens of the token's sample;
#   task_tokens, task_samples (tasks,): what of each task is supervised;  real_tokens (1,).
Batch: TypeAlias = dict[str, Tensor]


def statistics(batch: Batch) -> BatchStatistics:
    """Give what a micro-batch holds of each task."""
    return BatchStatistics(batch["task_tokens"], batch["task_samples"])


class Rows(Dataset[TokenRow]):
    """Token rows by index; a negative index is a filler row."""

    def __init__(self, rows: Sequence[TokenRow]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> TokenRow:
        return self.rows[index] if index >= 0 else _FILLER


class Collator:
    """Put rows into one padded batch, as long as its longest row or, ``fixed``, as given.

    No attention mask is made: padding is on the right and attention is causal, so no supervised
    token sees it.
    """

    def __init__(self, tasks: int, fixed: int | None = None) -> None:
        self.tasks = tasks
        self.fixed = fixed

    def __call__(self, rows: Sequence[TokenRow]) -> Batch:
        """Collate R rows."""
        width = self.fixed or max(len(row.input_ids) for row in rows)
        input_ids = torch.zeros((len(rows), width), dtype=torch.int64)
        positions, targets = [], []
        for index, row in enumerate(rows):
            ids = torch.tensor(row.input_ids, dtype=torch.int64)
            input_ids[index, : len(ids)] = ids
            start = max(row.prompt_length, 1)
            targets.append(ids[start:])
            positions.append(index * width + torch.arange(start - 1, len(ids) - 1))
        sizes = torch.tensor([supervised_tokens(len(r.input_ids), r.prompt_length) for r in rows])
        tasks = torch.tensor([row.task for row in rows])
        return {
            "input_ids": input_ids,
            "positions": torch.cat(positions),
            "targets": torch.cat(targets),
            "tasks": tasks.repeat_interleave(sizes),
            "sample_sizes": sizes.repeat_interleave(sizes),
            "task_tokens": _count(tasks, sizes, self.tasks),
            "task_samples": _count(tasks, (sizes > 0).long(), self.tasks),
            "real_tokens": torch.tensor([sum(len(row.input_ids) for row in rows)]),
        }


def _count(tasks: Tensor, amounts: Tensor, total: int) -> Tensor:
    return torch.zeros(total, dtype=torch.int64).index_add(0, tasks, amounts)


class GlobalBatchSampler(Sampler[int]):
    """Shuffle rows into global batches by seed and epoch alone; ``group`` sorts each by length.

    Lengths are grouped inside a global batch only, into its micro-batches. Grouping across global
    batches would fill each with one task, tasks having their own lengths, and leave nothing to
    balance; this way a run depends on the size of the global batch and not on how it is split.

    ``multiple`` is the number of rows that all ranks take at a time; the tail is filled up to it.
    """

    def __init__(
        self, lengths: Sequence[int], *, window: int, multiple: int = 1, group: bool, seed: int
    ) -> None:
        self.lengths = lengths
        self.window = window
        self.multiple = multiple
        self.group = group
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.lengths) + -len(self.lengths) % self.multiple

    def __iter__(self) -> Iterator[int]:
        name = f"{self.seed}:{self.epoch}".encode()
        generator = torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(name).digest()[:7]))
        order = torch.randperm(len(self.lengths), generator=generator).tolist()
        for start in range(0, len(order), self.window):
            rows = order[start : start + self.window]
            if self.group:
                rows.sort(key=lambda row: (-self.lengths[row], row))
            yield from rows
        yield from [-1] * (len(self) - len(order))
