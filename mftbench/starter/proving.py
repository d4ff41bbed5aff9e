"""Proves that a composition can be told from its neighbours: cases, and mutants that they kill."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from pydantic import JsonValue

from mftbench.starter.composing import evaluate
from mftbench.starter.grammar import Composition
from mftbench.starter.mutation import mutants, shortened
from mftbench.starter.values import draw

DECISIVE = 1  # so many cases, the first ones, kill every mutant
_CASES = 6
_MUTANTS = 3
_FEWEST_MUTANTS = 2
_FEWEST_RESULTS = 2  # cases that all expect the same would pass a constant


@dataclass(frozen=True)
class Proof:
    """Inputs, what the composition makes of each, and mutants that differ on them."""

    inputs: tuple[JsonValue, ...]
    expected: tuple[JsonValue, ...]
    mutants: tuple[Composition, ...]


def prove(composition: Composition, rng: Random) -> Proof | None:
    """Draw cases and mutants; None where a stage does nothing, or too little is told apart."""
    inputs = tuple(draw(composition.source, rng) for _ in range(_CASES))
    try:
        expected = tuple(evaluate(composition.stages, value) for value in inputs)
    except ValueError:  # a value grew too large
        return None
    if len({repr(value) for value in expected}) < _FEWEST_RESULTS:
        return None
    if not all(any(_differences(other, inputs, expected)) for other in shortened(composition)):
        return None
    killed: dict[object, Composition] = {}
    for mutant in mutants(composition, rng):
        if len(killed) < _MUTANTS and _is_killed(_differences(mutant, inputs, expected)):
            killed[mutant.key] = mutant
    if len(killed) < _FEWEST_MUTANTS:
        return None
    return Proof(inputs, expected, tuple(killed.values()))


def _differences(
    other: Composition, inputs: tuple[JsonValue, ...], expected: tuple[JsonValue, ...]
) -> list[bool]:
    """Say for each input whether another composition gives another value; [] where it fails."""
    pairs = zip(inputs, expected, strict=True)
    try:
        return [evaluate(other.stages, value) != result for value, result in pairs]
    except (ValueError, TypeError):  # too large, or a kind that the next stage cannot take
        return []


def _is_killed(differs: list[bool]) -> bool:
    """Ask for a decisive case and most of all: then other good inputs kill the mutant too."""
    return any(differs[:DECISIVE]) and 3 * sum(differs) >= 2 * len(differs)
