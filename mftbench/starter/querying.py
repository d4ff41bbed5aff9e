"""Draws questions with the SELECT that answers them, and proves that every clause matters."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from random import Random

from mftbench.starter import clauses
from mftbench.starter.clauses import Draw
from mftbench.starter.grammar import Split, split_of
from mftbench.starter.select import Select
from mftbench.starter.tables import Table, draw_table

_CLAUSES = ("where", "second", "join", "group", "having", "order", "limit")
_NEEDS = {"second": "where", "join": "where", "having": "group", "limit": "order"}


@dataclass(frozen=True)
class Outline:
    """The constructs of a query by name: its structure, without tables, columns and values."""

    projection: str
    conditions: tuple[str, ...] = ()
    connective: str = ""
    join: bool = False
    group: bool = False
    having: str = ""
    order: str = ""
    limit: bool = False

    @property
    def structure(self) -> str:
        """Name the outline: what the splits hold out."""
        where = f" {self.connective} ".join(self.conditions)
        flags = ("join" * self.join, "group" * self.group, "limit" * self.limit)
        return f"{self.projection}|{where}|{self.having}|{self.order}|{'|'.join(flags)}"


def ask(difficulty: int, split: Split, rng: Random) -> Select | None:
    """Draw a query whose every clause matters; None where it is not the split's, or is dull."""
    select = draw_select(difficulty, split, rng)
    return select if select is not None and _is_telling(select) else None


def draw_select(difficulty: int, split: Split, rng: Random) -> Select | None:
    """Draw a query of ``difficulty`` clauses over a new table; None where it is not the split's."""
    outline = _outline(difficulty, rng)
    if split_of(outline.structure) != split:
        return None
    return _select(outline, draw_table(rng), rng)


@cache
def _clause_sets(difficulty: int) -> tuple[frozenset[str], ...]:
    sets = map(frozenset, combinations(_CLAUSES, difficulty))
    return tuple(
        chosen for chosen in sets if all(_NEEDS.get(clause, clause) in chosen for clause in chosen)
    )


def _outline(difficulty: int, rng: Random) -> Outline:
    chosen = rng.choice(_clause_sets(difficulty))

    def pick(clause: str, choices: Mapping[str, Draw]) -> str:
        return rng.choice(sorted(choices)) if clause in chosen else ""

    group = "group" in chosen
    projections: Mapping[str, Draw] = clauses.PLAIN
    if group:
        projections = clauses.AGGREGATES
    elif "order" not in chosen and rng.random() < 0.5:
        projections = clauses.WHOLE
    conditions = [pick("where", clauses.CONDITIONS), pick("second", clauses.CONDITIONS)]
    if "join" in chosen:
        conditions[0] = "joined"
    return Outline(
        projection=rng.choice(sorted(projections)),
        conditions=tuple(filter(None, conditions)),
        connective=rng.choice(("and", "or")) if "second" in chosen else "",
        join="join" in chosen,
        group=group,
        having=pick("having", clauses.HAVINGS),
        order=pick("order", clauses.GROUP_ORDERS if group else clauses.ORDERS),
        limit="limit" in chosen,
    )


def _select(outline: Outline, table: Table, rng: Random) -> Select:
    conditions = {**clauses.CONDITIONS, "joined": clauses.joined}
    projections = {**clauses.PLAIN, **clauses.WHOLE}
    orders = clauses.GROUP_ORDERS if outline.group else clauses.ORDERS
    return Select(
        table=table,
        projection=projections[outline.projection](table, rng),
        conditions=tuple(conditions[name](table, rng) for name in outline.conditions),
        connective=outline.connective,
        join=outline.join,
        group=rng.choice(table.attributes) if outline.group else "",
        having=clauses.HAVINGS[outline.having](table, rng) if outline.having else None,
        order=orders[outline.order](table, rng) if outline.order else None,
        limit=rng.randint(1, 3) if outline.limit else 0,
    )


def _is_telling(select: Select) -> bool:
    """Say whether there are rows, in an order without ties, that every clause changes."""
    database = select.table.open()
    try:
        rows = database.execute(select.sql()).fetchall()
        if not rows or rows == [(None,)] or _is_tied(select, database):
            return False
        return all(database.execute(other.sql()).fetchall() != rows
                   for other in select.without_one_clause())  # fmt: skip
    finally:
        database.close()


def _is_tied(select: Select, database: sqlite3.Connection) -> bool:
    """Only an order by a group's number can have ties: names and measures are unique."""
    if not (select.group and select.order and select.order.sql.startswith("2")):
        return False
    rows = database.execute(replace(select, limit=0).sql()).fetchall()
    return len({row[1] for row in rows}) < len(rows)
