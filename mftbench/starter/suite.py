"""The starter suite: generated programs and queries, split by composition, fixed by seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar

from pydantic import JsonValue

from mftbench.errors import UsageError
from mftbench.starter import rendering
from mftbench.starter.composing import compose
from mftbench.starter.grammar import Composition, Split, split_of
from mftbench.starter.proving import DECISIVE, Proof, prove
from mftbench.starter.querying import ask
from mftbench.starter.values import FUNCTIONS, PARAMETERS

__all__ = ["DIFFICULTIES", "VERSION", "Case", "ProgramItem", "QueryItem", "programs", "queries"]

VERSION = 2  # bump when any item changes for the same arguments
DIFFICULTIES = range(1, 5)

TABLE = "plants"  # the only one asked about: a nano model hardly learns to copy such names
_PATIENCE = 3000  # draws without a new item before the grammar counts as used up


@dataclass(frozen=True)
class Case:
    """One call of a program: the arguments and what it returns."""

    args: tuple[JsonValue, ...]
    expected: JsonValue


@dataclass(frozen=True)
class ProgramItem:
    """One composition in every rendering.

    ``signature`` is the Python header up to its colon, ``docstring`` the bare text. ``python`` is
    header and body, without docstring; ``javascript`` has the same name and parameter. Every mutant
    differs from ``python`` on two thirds of the cases or more; ``decisive`` cases kill them all.
    """

    id: str
    name: str
    english: str
    signature: str
    docstring: str
    python: str
    javascript: str
    cases: tuple[Case, ...]
    mutants: tuple[str, ...]

    @property
    def decisive(self) -> tuple[Case, ...]:
        """Give the first cases, which kill every mutant: the gold of a test suite."""
        return self.cases[:DECISIVE]


@dataclass(frozen=True)
class QueryItem:
    """A question over generated tables.

    ``schema`` holds one statement a line: every CREATE TABLE, then the INSERTs. ``query`` is one
    SELECT without semicolon. Its rows are never empty, and no ordered column has ties.
    """

    id: str
    question: str
    schema: str
    query: str

    @property
    def tables(self) -> str:
        """Give the CREATE TABLE statements alone, as a prompt shows them."""
        lines = self.schema.splitlines()
        return "\n".join(line for line in lines if line.startswith("CREATE"))


def programs(
    split: Split, count: int, *, difficulty: int, seed: int, task: str
) -> Iterator[ProgramItem]:
    """Generate ``count`` distinct programs of a split.

    Difficulty (1 to 4) is the number of transforms before the answer. A longer request starts with
    the items of a shorter one. Train and test share no composition, whatever task and seed.

    Raises:
        UsageError: the difficulty is out of range, or the grammar has fewer distinct programs.
    """
    rng = _generator(f"programs/{task}", split, difficulty, seed)
    return _distinct(lambda: _draw_program(difficulty, split, rng), split, count)


def queries(split: Split, count: int, *, difficulty: int, seed: int) -> Iterator[QueryItem]:
    """Generate ``count`` distinct questions of a split.

    Difficulty (1 to 4) is the number of clauses beyond SELECT and FROM; the rest is as in
    ``programs``.

    Raises:
        UsageError: the difficulty is out of range, or the grammar has fewer distinct questions.
    """
    rng = _generator("queries", split, difficulty, seed)
    return _distinct(lambda: _draw_query(difficulty, split, rng), split, count)


def _generator(what: str, split: Split, difficulty: int, seed: int) -> Random:
    if difficulty not in DIFFICULTIES:
        raise UsageError(f"starter difficulty {difficulty} is not one of 1, 2, 3, 4")
    return Random(f"mftbench/{VERSION}/{what}/{split}/{difficulty}/{seed}")


Item = TypeVar("Item", ProgramItem, QueryItem)


def _distinct(
    draw: Callable[[], tuple[object, Item] | None], split: Split, count: int
) -> Iterator[Item]:
    """Give drawn items their ids; the object beside an item says which others it equals."""
    seen: set[object] = set()
    failures = 0
    while len(seen) < count:
        drawn = draw()
        if drawn is None or drawn[0] in seen:
            failures += 1
            if failures > _PATIENCE:
                raise UsageError(
                    f"the starter grammar has only {len(seen)} distinct {split} items at this "
                    f"difficulty, not {count}; lower the count or raise the difficulty"
                )
            continue
        failures = 0
        key, item = drawn
        yield replace(item, id=f"starter-{split}-{len(seen):05d}")
        seen.add(key)


def _draw_program(difficulty: int, split: Split, rng: Random) -> tuple[object, ProgramItem] | None:
    composition = compose(difficulty, rng)
    if split_of(composition.structure) != split:
        return None
    proof = prove(composition, rng)
    return (composition.key, _program(composition, proof, rng)) if proof else None


def _draw_query(difficulty: int, split: Split, rng: Random) -> tuple[object, QueryItem] | None:
    select = ask(difficulty, split, rng)
    if select is None:
        return None
    select = replace(select, table=replace(select.table, name=TABLE))
    schema = select.table.schema(with_lookup=select.join)
    item = QueryItem("", select.english(), schema, select.sql())
    return item.query, item


def _program(composition: Composition, proof: Proof, rng: Random) -> ProgramItem:
    name = rng.choice(FUNCTIONS)
    parameter = rng.choice(PARAMETERS[composition.source])
    pairs = zip(proof.inputs, proof.expected, strict=True)
    return ProgramItem(
        id="",
        name=name,
        english=rendering.english(composition, name, parameter, rng),
        signature=rendering.signature(composition, name, parameter),
        docstring=rendering.docstring(composition, rng),
        python=rendering.python(composition, name, parameter),
        javascript=rendering.javascript(composition, name, parameter),
        cases=tuple(Case((value,), result) for value, result in pairs),
        mutants=tuple(rendering.python(mutant, name, parameter) for mutant in proof.mutants),
    )
