"""What a training split shares with a test split: whole texts, and long runs of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mftbench.contract import Example, Problem

__all__ = ["NGRAM", "Overlap", "find_overlap"]

NGRAM = 13  # tokens; the length that Brown et al. 2020 (arXiv 2005.14165, appendix C) screen with
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
    texts: dict[str, str] = {}
    grams: set[tuple[str, ...]] = set()
    problems = 0
    for problem in test:
        problems += 1
        texts |= dict.fromkeys(_texts(problem.prompt, problem.gold), problem.id)
        grams.update(_ngrams(problem.gold))
    leaks, rows, ngram = [], 0, 0
    for row in train:
        rows += 1
        found = (text for text in _texts(row.prompt, row.completion) if text in texts)
        leaks += [(row.id, texts[text]) for text in found][:1]
        ngram += any(gram in grams for gram in _ngrams(row.completion))
    return Overlap(rows, problems, tuple(leaks), ngram)


def _texts(prompt: str, answer: str) -> Iterator[str]:
    yield " ".join(prompt.split())
    if _ngrams(answer):
        yield " ".join(answer.split())


def _ngrams(text: str) -> list[tuple[str, ...]]:
    tokens = _TOKEN.findall(text)
    return [tuple(tokens[at : at + NGRAM]) for at in range(len(tokens) - NGRAM + 1)]
