"""The units of work of a plan: one stage of one cell each, with what must be there before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mftbench.canonical import digest
from mftbench.plan import Cell
from mftbench.store import STAGES


@dataclass(frozen=True)
class Unit:
    """Artifacts of one stage that are made by one call. ``inputs`` are keys by key.

    ``name`` says what the unit makes: it is the same in every run of a study.
    """

    name: str
    stage: str
    label: str
    inputs: Mapping[str, tuple[str, ...]]

    @property
    def keys(self) -> tuple[str, ...]:
        """Give the keys of what the unit makes, in the plan's order."""
        return tuple(self.inputs)


@dataclass
class _Draft:
    stage: str
    label: str
    inputs: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def unit(self) -> Unit:
        name = f"{self.stage}-{digest(list(self.inputs), 12)}"
        return Unit(name, self.stage, self.label, self.inputs)


def units(cells: Sequence[Cell], replicas: int = 0) -> tuple[Unit, ...]:
    """Lay out a plan as units, each key in exactly one; inputs come before what needs them.

    A training is a unit, and so are a cell's executions, and a cell's scores. All that one trained
    model generates is a unit, because it is what an engine divides into batches. With ``replicas``
    the models of one base share that many units instead: for engines that are slow to start, or
    that serve several models at a time.
    """
    places = _generate_places(cells, replicas)
    laid_out = [(cell, list(_chains(cell))) for cell in cells]
    seen: set[str] = set()
    drafts: dict[tuple[str, str], _Draft] = {}
    for number, stage in enumerate(STAGES):
        for cell, chains in laid_out:
            place = places[cell.model, _trained(cell)] if stage == "generate" else cell.label
            for chain in chains:
                name, before = chain[number], chain[number - 1] if number else ""
                if name and name not in seen:
                    seen.add(name)
                    draft = drafts.setdefault((stage, place), _Draft(stage, f"{stage} {place}"))
                    draft.inputs[name] = (before,) if before else ()
    return tuple(draft.unit() for draft in drafts.values())


def chains(made: Iterable[Unit]) -> list[tuple[Unit, ...]]:
    """Sort units into groups that need nothing of each other, each in the order of its stages."""
    group_of: dict[str, list[Unit]] = {}
    for unit in made:
        befores = [before for inputs in unit.inputs.values() for before in inputs]
        parts = {id(group_of[key]): group_of[key] for key in befores if key in group_of}
        group = [*(each for part in parts.values() for each in part), unit]
        group_of.update((key, group) for each in group for key in each.keys)
    unique = {id(group): group for group in group_of.values()}
    order = STAGES.index
    return [tuple(sorted(group, key=lambda each: order(each.stage))) for group in unique.values()]


def _generate_places(cells: Sequence[Cell], replicas: int) -> dict[tuple[str, str], str]:
    """Name the unit that each trained model of each base generates in."""
    places: dict[tuple[str, str], str] = {}
    models: Counter[str] = Counter()
    for cell in cells:
        one = (cell.model, _trained(cell))
        if one not in places:
            replica = f"{cell.model} {models[cell.model] % replicas + 1}" if replicas else ""
            places[one] = replica or cell.label
            models[cell.model] += 1
    return places


def _trained(cell: Cell) -> str:
    return cell.evaluations[0].generate.train if cell.evaluations else cell.label


def _chains(cell: Cell) -> Iterator[tuple[str, ...]]:
    """Give the keys of each evaluation, in the order of the stages; no training is ""."""
    for evaluation in cell.evaluations:
        keys = evaluation.keys
        yield tuple(keys[stage] for stage in STAGES)
