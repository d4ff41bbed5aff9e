"""From examples to token rows: tokenise, fit to the length, split, and count what is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mftbench.contract import Example, Prompt
from mftbench.errors import UsageError
from mftbench.stages import Optim, TaskData, TrainSpec
from mftbench.store import Store
from mftbench.training.splitting import held_out
from mftbench.training.token_store import StoredTokens, TokenSpec, read_tokens, write_tokens
from mftbench.training.tokens import TokenTable

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class RowCounts:
    """What became of one task's examples: ``read`` is the sum of the others but ``truncated``.

    ``unsupervised`` rows have no supervised token left and cannot train; truncated rows are used.
    """

    read: int
    train: int
    valid: int
    dropped: int
    unsupervised: int
    truncated: int


@dataclass(frozen=True)
class TokenData:
    """The rows of a training, and what became of each task's examples, by task name."""

    train: TokenTable
    valid: TokenTable
    counts: Mapping[str, RowCounts]


def prepare(
    spec: TrainSpec,
    rows: Mapping[str, Iterable[Example]],
    prompts: Mapping[str, Prompt],
    tokenizer: PreTrainedTokenizerBase,
    store: Store,
) -> TokenData:
    """Tokenise and split the examples of all tasks of a spec, in its order.

    A task's rows are asked for only if ``store`` does not have their tokens already.

    Raises UsageError for a task of which no row is left to train on.
    """
    train, valid, counts = [], [], {}
    for index, data in enumerate(spec.tasks):
        stored = _stored(spec, data, rows, prompts[data.task], tokenizer, store)
        fitted = _fit(stored, index, spec.optim)
        counts[data.task] = fitted.counts
        if not len(fitted.train):
            raise UsageError(
                f"task {data.task!r} has no row to train on: {_told(fitted.counts)}; "
                "raise optim.max_length or lower optim.valid_share"
            )
        train.append(fitted.train)
        valid.append(fitted.valid)
    return TokenData(TokenTable.join(train), TokenTable.join(valid), counts)


def _stored(
    spec: TrainSpec,
    data: TaskData,
    rows: Mapping[str, Iterable[Example]],
    prompt: Prompt,
    tokenizer: PreTrainedTokenizerBase,
    store: Store,
) -> StoredTokens:
    def make(out: Path, work: Path) -> None:
        write_tokens(out, rows[data.task], prompt, spec.format, tokenizer)

    wanted = TokenSpec(
        task=data.task,
        task_version=data.version,
        source=data.source,
        template=prompt.template,
        format=spec.format,
        model_fingerprint=spec.model_fingerprint,
    )
    return read_tokens(store.get_or_make("tokens", wanted, make).path)


@dataclass(frozen=True)
class _Fitted:
    train: TokenTable
    valid: TokenTable
    counts: RowCounts


def _fit(stored: StoredTokens, task: int, optim: Optim) -> _Fitted:
    lengths = np.minimum(stored.lengths, optim.max_length)
    too_long = stored.lengths > optim.max_length
    dropped = too_long & (optim.too_long == "drop")
    unsupervised = ~dropped & (lengths <= np.maximum(stored.prompt_lengths, 1))
    used = ~(dropped | unsupervised)
    table = TokenTable(
        flats=[stored.flat] * (task + 1),
        tasks=np.full(len(lengths), task),
        starts=stored.lengths.cumsum() - stored.lengths,
        lengths=lengths,
        prompt_lengths=stored.prompt_lengths,
    ).select(used)
    held = held_out(stored.places[used], optim.valid_share)
    counts = RowCounts(
        read=len(lengths),
        train=int((~held).sum()),
        valid=int(held.sum()),
        dropped=int(dropped.sum()),
        unsupervised=int(unsupervised.sum()),
        truncated=int((used & too_long).sum()),
    )
    return _Fitted(table.select(~held), table.select(held), counts)


def _told(counts: RowCounts) -> str:
    return (
        f"{counts.read} read, {counts.dropped} longer than the limit, "
        f"{counts.unsupervised} without a supervised token, {counts.valid} for validation"
    )
