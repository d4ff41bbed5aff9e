"""Draws compositions, and computes what they make of an input."""

from __future__ import annotations

from random import Random

from pydantic import JsonValue

from mftbench.starter.grammar import Composition, Kind, Operation, Stage
from mftbench.starter.operations import ANSWERS, TRANSFORMS
from mftbench.starter.values import SOURCES

_AS_IT_IS = 0.3  # share of compositions that return what the last transform gives
_LARGEST = 150  # a number, or a length, beyond this makes no readable case


def with_constant(operation: Operation, rng: Random) -> Stage:
    """Make a stage of an operation with one of its constants."""
    return Stage(operation, rng.choice(operation.constants) if operation.constants else "")


def compose(difficulty: int, rng: Random) -> Composition:
    """Draw ``difficulty`` transforms and, mostly, an answer; at least two stages in all."""
    source = kind = rng.choice(SOURCES)
    stages: list[Stage] = []
    while len(stages) < difficulty:
        operation = rng.choice(TRANSFORMS[kind])
        if stages and stages[-1].operation is operation:
            continue
        stages.append(with_constant(operation, rng))
        kind = operation.gives
    if len(stages) < 2 or kind is Kind.NUMBER or rng.random() > _AS_IT_IS:
        stages.append(with_constant(rng.choice(ANSWERS[kind]), rng))
    return Composition(source, tuple(stages))


def evaluate(stages: tuple[Stage, ...], value: JsonValue) -> JsonValue:
    """Send a value through the stages; ValueError where it grows beyond a readable case."""
    for stage in stages:
        value = stage.function(value)
        if _extent(value) > _LARGEST:
            raise ValueError(f"{stage.operation.name} grows beyond {_LARGEST}")
    return value


def _extent(value: JsonValue) -> float:
    """Give the largest number in a value, or its length where it holds none."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return max([len(value), *(item for item in value if isinstance(item, int))])
    return len(value) if isinstance(value, str) else value or 0
