"""From examples to token rows: tokenise, fit to the length, split, and count what is lost."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mftbench.contract import Example, Prompt
from mftbench.errors import UsageError
from mftbench.formats import encode_all
from mftbench.stages import TrainSpec

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class TokenRow:
    """One tokenised example. ``task`` is the task's position in the spec."""

    task: int
    input_ids: Sequence[int]
    prompt_length: int


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

    train: Sequence[TokenRow]
    valid: Sequence[TokenRow]
    counts: Mapping[str, RowCounts]


def prepare(
    spec: TrainSpec,
    rows: Mapping[str, Sequence[Example]],
    prompts: Mapping[str, Prompt],
    tokenizer: PreTrainedTokenizerBase,
) -> TokenData:
    """Tokenise and split the examples of all tasks of a spec, in its order.

    Raises UsageError for a task of which no row is left to train on.
    """
    train: list[TokenRow] = []
    valid: list[TokenRow] = []
    counts: dict[str, RowCounts] = {}
    for index, data in enumerate(spec.tasks):
        fitted = _fit(spec, index, rows[data.task], prompts[data.task], tokenizer)
        held_out = valid_ids([name for name, _ in fitted.rows], spec.optim.valid_share)
        task_train = [row for name, row in fitted.rows if name not in held_out]
        task_valid = [row for name, row in fitted.rows if name in held_out]
        counts[data.task] = fitted.counts(len(task_train), len(task_valid))
        if not task_train:
            raise UsageError(
                f"task {data.task!r} has no row to train on: {_told(counts[data.task])}; "
                "raise optim.max_length or lower optim.valid_share"
            )
        train += task_train
        valid += task_valid
    return TokenData(train, valid, counts)


def valid_ids(ids: Sequence[str], share: float) -> frozenset[str]:
    """Choose the examples to validate on by a hash of each id alone.

    With a positive share, two or more distinct ids give at least one to each side.
    """
    if share <= 0:
        return frozenset()
    ranked = sorted(set(ids), key=_place)
    count = sum(_place(name) < share for name in ranked)
    if len(ranked) >= 2:
        count = min(max(count, 1), len(ranked) - 1)
    return frozenset(ranked[:count])


def _place(name: str) -> float:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64


@dataclass
class _Fitted:
    rows: list[tuple[str, TokenRow]] = field(default_factory=list)
    dropped: int = 0
    unsupervised: int = 0
    truncated: int = 0

    def counts(self, train: int, valid: int) -> RowCounts:
        read = train + valid + self.dropped + self.unsupervised
        return RowCounts(read, train, valid, self.dropped, self.unsupervised, self.truncated)


def _fit(
    spec: TrainSpec,
    task: int,
    examples: Sequence[Example],
    prompt: Prompt,
    tokenizer: PreTrainedTokenizerBase,
) -> _Fitted:
    limit, truncate = spec.optim.max_length, spec.optim.too_long == "truncate"
    fitted = _Fitted()
    pairs = ((prompt.render(example.prompt), example.completion) for example in examples)
    encoded = encode_all(spec.format, pairs, tokenizer)
    for example, row in zip(examples, encoded, strict=True):
        too_long = len(row.input_ids) > limit
        if too_long and not truncate:
            fitted.dropped += 1
        elif supervised_tokens(min(len(row.input_ids), limit), row.prompt_length) < 1:
            fitted.unsupervised += 1
        else:
            fitted.truncated += too_long
            ids = row.input_ids[:limit]
            fitted.rows.append((example.id, TokenRow(task, ids, row.prompt_length)))
    return fitted


def supervised_tokens(length: int, prompt_length: int) -> int:
    """Count the tokens to predict: those after the prompt, but never the first, without a past."""
    return max(length - max(prompt_length, 1), 0)


def _told(counts: RowCounts) -> str:
    return (
        f"{counts.read} read, {counts.dropped} longer than the limit, "
        f"{counts.unsupervised} without a supervised token, {counts.valid} for validation"
    )
