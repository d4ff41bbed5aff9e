"""Whether two queries say the same, by their text alone: exact set match, logical form, BLEU."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from mftbench.contract import Problem
from mftbench.scoring.text import bleu

from .components import Parts, UnreadableError, parts

__all__ = ["text_scores"]

_WORD = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|[<>!]=|<>|[\w.]+|\S")
LONGEST = 4_000  # characters; beyond them a text is no query, and costs the metrics seconds


def text_scores(problem: Problem, predicted: str) -> dict[str, float]:
    """Compare a predicted query's text with the gold's."""
    gold = str(problem.facts["query"])
    return {
        "exact_set": float(exact_set(problem, gold, predicted)),
        "logical_form": float(words(gold) == words(predicted)),
        "bleu4": bleu(predicted[:LONGEST], [gold]),
    }


def words(query: str) -> list[str]:
    """Give a query's words in one spelling: case folded outside of values, one kind of quotes."""
    found = _WORD.findall(query[:LONGEST].strip().rstrip(";"))
    return [f"'{each[1:-1]}'" if each[0] in "'\"`" else each.lower() for each in found]


def exact_set(problem: Problem, gold: str, predicted: str) -> bool:
    """Compare by Spider's exact set match; a text that cannot be parsed is never the same."""
    try:
        return _same(parts(gold, problem), parts(predicted, problem))
    except UnreadableError:
        return False


def _same(gold: Parts, predicted: Parts) -> bool:
    return (
        _bag(gold.select) == _bag(predicted.select)
        and _bag(gold.where) == _bag(predicted.where)
        and gold.group == predicted.group
        and gold.having == predicted.having
        and gold.order == predicted.order
        and (not gold.order or gold.limited == predicted.limited)
        and gold.connectors == predicted.connectors
        and gold.keywords == predicted.keywords
        and gold.tables == predicted.tables
        and len(gold.combined) == len(predicted.combined)
        and all(
            name == other and _same(left, right)
            for (name, left), (other, right) in zip(gold.combined, predicted.combined, strict=True)
        )
    )


def _bag(units: Iterable[object]) -> Counter[object]:
    return Counter(units)
