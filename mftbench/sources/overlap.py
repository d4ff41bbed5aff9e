"""What a training split shares with a test split: whole texts, and long runs of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mftbench.contract import Example, Problem

__all__ = ["NGRAM", "Overlap", "find_overlap", "find_overlaps"]

NGRAM = 13  # tokens; the length that Brown et al. 2020 (arXiv 2005.14165, appendix C) screen with
Gram = tuple[str, ...]
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Overlap:
    """What a training split of ``train`` rows shares with a test split of ``test`` problems.

    ``leaks`` pairs the ids of rows and problems with a text in common, prompt or answer, up to its
    layout; answers of fewer than 13 tokens coincide by chance and do not count. ``ngram`` counts
    the rows with an answer that shares 13 tokens in a row with a gold.
    """

    train: int
    test: int
    leaks: tuple[tuple[str, str], ...]
    ngram: int


def find_overlap(train: Iterable[Example], test: Iterable[Problem]) -> Overlap:
    """Compare every training row with every problem."""
    return find_overlaps(train, {"": test})[""]


def find_overlaps(
    train: Iterable[Example], tests: Mapping[str, Iterable[Problem]]
) -> dict[str, Overlap]:
    """Compare the training rows with several test splits, by name, in one pass over them."""
    splits = {name: _Split(test) for name, test in tests.items()}
    rows = 0
    for row in train:
        rows += 1
        texts, grams = list(_texts(row.prompt, row.completion)), _ngrams(row.completion)
        for split in splits.values():
            split.compare(row.id, texts, grams)
    return {name: split.overlap(rows) for name, split in splits.items()}


class _Split:
    """One test split: its texts and runs of tokens, and what was found of them in training rows."""

    def __init__(self, test: Iterable[Problem]) -> None:
        self.problems = 0
        self.ids: dict[str, str] = {}
        self.grams: set[Gram] = set()
        self.leaks: list[tuple[str, str]] = []
        self.ngram = 0
        for problem in test:
            self.problems += 1
            self.ids |= dict.fromkeys(_texts(problem.prompt, problem.gold), problem.id)
            self.grams.update(_ngrams(problem.gold))

    def compare(self, row: str, texts: list[str], grams: list[Gram]) -> None:
        self.leaks += [(row, self.ids[text]) for text in texts if text in self.ids][:1]
        self.ngram += not self.grams.isdisjoint(grams)

    def overlap(self, rows: int) -> Overlap:
        return Overlap(rows, self.problems, tuple(self.leaks), self.ngram)


def _texts(prompt: str, answer: str) -> Iterator[str]:
    yield " ".join(prompt.split())
    if _ngrams(answer):
        yield " ".join(answer.split())


def _ngrams(text: str) -> list[Gram]:
    tokens = _TOKEN.findall(text)
    return [tuple(tokens[at : at + NGRAM]) for at in range(len(tokens) - NGRAM + 1)]
