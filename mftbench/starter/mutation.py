"""Makes mutants of a composition: another constant, a sibling operation, a dropped stage."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from mftbench.starter.composing import with_constant
from mftbench.starter.grammar import Composition, Operation, Stage
from mftbench.starter.operations import OPERATIONS

_SIBLINGS: dict[str, tuple[Operation, ...]] = {
    op.name: tuple(
        other
        for other in OPERATIONS
        if other is not op
        and (other.family, other.takes, other.gives) == (op.family, op.takes, op.gives)
    )
    for op in OPERATIONS
}


def mutants(composition: Composition, rng: Random) -> list[Composition]:
    """Give the neighbours of a composition in random order; some may mean the same as it."""
    found = shortened(composition)
    for position, stage in enumerate(composition.stages):
        found += [_with(composition, position, (other,)) for other in _replacements(stage, rng)]
    rng.shuffle(found)
    return found


def shortened(composition: Composition) -> list[Composition]:
    """Give the compositions that leave out one stage, where the kinds allow it."""
    positions = range(len(composition.stages))
    return [_with(composition, at, ()) for at in positions if _droppable(composition, at)]


def _replacements(stage: Stage, rng: Random) -> Iterator[Stage]:
    others = [k for k in stage.operation.constants if k != stage.constant]
    yield from (Stage(stage.operation, k) for k in rng.sample(others, min(2, len(others))))
    siblings = _SIBLINGS[stage.operation.name]
    for sibling in rng.sample(siblings, min(3, len(siblings))):
        yield with_constant(sibling, rng)


def _droppable(composition: Composition, position: int) -> bool:
    operation = composition.stages[position].operation
    return operation.takes is operation.gives and len(composition.stages) > 1


def _with(composition: Composition, position: int, stages: tuple[Stage, ...]) -> Composition:
    head, tail = composition.stages[:position], composition.stages[position + 1 :]
    return Composition(composition.source, head + stages + tail)
