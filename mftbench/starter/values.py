"""Draws the inputs of programs: small values from fixed vocabularies."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from pydantic import JsonValue

from mftbench.starter.grammar import Kind

WORDS = (
    "ant", "bee", "cat", "dog", "elk", "fox", "hen", "owl", "pig", "rat", "bear", "crow", "deer",
    "frog", "goat", "tree",
)  # fmt: skip
PARAMETERS: dict[Kind, tuple[str, ...]] = {
    Kind.NUMBERS: ("values",),
    Kind.WORDS: ("words",),
    Kind.TEXT: ("text",),
    Kind.NUMBER: ("number",),
    Kind.COUNTS: ("counts",),
}
SOURCES = (Kind.NUMBERS,) * 5 + (Kind.WORDS,) * 3 + (Kind.TEXT, Kind.COUNTS, Kind.NUMBER)
FUNCTIONS = ("solve",)


def _numbers(rng: Random) -> JsonValue:
    return [rng.randrange(10) for _ in range(rng.randint(2, 4))]


def _words(rng: Random) -> JsonValue:
    words = rng.choices(WORDS, k=rng.randint(2, 3))
    if rng.random() < 0.3:
        words[-1] = words[0]
    return list(words)


def _text(rng: Random) -> JsonValue:
    return " ".join(rng.choices(WORDS, k=rng.randint(1, 2)))


def _number(rng: Random) -> JsonValue:
    return rng.randrange(1, 20)


def _counts(rng: Random) -> JsonValue:
    return {word: rng.randint(1, 9) for word in rng.sample(WORDS, rng.randint(2, 3))}


_DRAWS: dict[Kind, Callable[[Random], JsonValue]] = {
    Kind.NUMBERS: _numbers,
    Kind.WORDS: _words,
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.COUNTS: _counts,
}


def draw(kind: Kind, rng: Random) -> JsonValue:
    """Draw one input of a source kind."""
    return _DRAWS[kind](rng)
