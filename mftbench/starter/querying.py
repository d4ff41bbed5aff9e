"""Draws questions with the SELECT that answers them, and proves that every clause matters."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from random import Random

from mftbench.starter import selecting
from mftbench.starter.grammar import Split, split_of
from mftbench.starter.selecting import Clause, Draw
from mftbench.starter.tables import LOOKUPS, Table, draw_table

_CLAUSES = ("where", "second", "join", "group", "having", "order", "limit")
_NEEDS = {"second": "where", "join": "where", "having": "group", "limit": "order"}


@dataclass(frozen=True)
class Question:
    """A question, the tables that it is about, and the query that answers it."""

    english: str
    schema: str
    query: str


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


@dataclass(frozen=True)
class Select:
    """A query with its clauses drawn."""

    table: Table
    projection: Clause
    conditions: tuple[Clause, ...] = ()
    connective: str = ""
    join: bool = False
    group: str = ""
    having: Clause | None = None
    order: Clause | None = None
    limit: int = 0

    def sql(self) -> str:
        """Write the SELECT, without semicolon."""
        columns = f"{self.group}, {self.projection.sql}" if self.group else self.projection.sql
        parts = [f"SELECT {columns} FROM {self.table.name}"]
        if self.join:
            attribute = self.table.attributes[0]
            parts.append(f"JOIN {LOOKUPS[attribute][0]} USING ({attribute})")
        if self.conditions:
            link = f" {self.connective.upper()} "
            parts.append(f"WHERE {link.join(clause.sql for clause in self.conditions)}")
        if self.group:
            parts.append(f"GROUP BY {self.group}")
        if self.having:
            parts.append(f"HAVING {self.having.sql}")
        if self.order:
            parts.append(f"ORDER BY {self.order.sql}")
        if self.limit:
            parts.append(f"LIMIT {self.limit}")
        return " ".join(parts)

    def english(self) -> str:
        """Ask for the rows in one sentence."""
        parts = [f"Of {self.table.name}, give {self.projection.english}"]
        if self.group:
            parts.append(f"for each {self.group}")
        if self.conditions:
            link = f" {self.connective} "
            parts.append(f"where {link.join(clause.english for clause in self.conditions)}")
        if self.having:
            parts.append(f"among groups with {self.having.english}")
        if self.order:
            parts.append(f"ordered {self.order.english}")
        if self.limit:
            parts.append(f"only the first {self.limit}")
        return " ".join(parts) + "."

    def without_one_clause(self) -> Iterator[Select]:
        """Give the queries that leave out one clause: each must answer differently."""
        for position in range(len(self.conditions)):
            rest = self.conditions[:position] + self.conditions[position + 1 :]
            yield replace(self, conditions=rest)
        if self.having:
            yield replace(self, having=None)
        if self.order:
            yield replace(self, order=None, limit=0)
        if self.limit:
            yield replace(self, limit=0)


def ask(difficulty: int, split: Split, rng: Random) -> Question | None:
    """Draw a question of ``difficulty`` clauses; None where it is the other split's, or dull."""
    select = draw_select(difficulty, split, rng)
    if select is None or not _telling(select):
        return None
    schema = select.table.schema(with_lookup=select.join)
    return Question(select.english(), schema, select.sql())


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
    projections: Mapping[str, Draw] = selecting.PLAIN
    if group:
        projections = selecting.AGGREGATES
    elif "order" not in chosen and rng.random() < 0.5:
        projections = selecting.WHOLE
    conditions = [pick("where", selecting.CONDITIONS), pick("second", selecting.CONDITIONS)]
    if "join" in chosen:
        conditions[0] = "joined"
    return Outline(
        projection=rng.choice(sorted(projections)),
        conditions=tuple(filter(None, conditions)),
        connective=rng.choice(("and", "or")) if "second" in chosen else "",
        join="join" in chosen,
        group=group,
        having=pick("having", selecting.HAVINGS),
        order=pick("order", selecting.GROUP_ORDERS if group else selecting.ORDERS),
        limit="limit" in chosen,
    )


def _select(outline: Outline, table: Table, rng: Random) -> Select:
    conditions = {**selecting.CONDITIONS, "joined": selecting.joined}
    projections = {**selecting.PLAIN, **selecting.WHOLE}
    orders = selecting.GROUP_ORDERS if outline.group else selecting.ORDERS
    return Select(
        table=table,
        projection=projections[outline.projection](table, rng),
        conditions=tuple(conditions[name](table, rng) for name in outline.conditions),
        connective=outline.connective,
        join=outline.join,
        group=rng.choice(table.attributes) if outline.group else "",
        having=selecting.HAVINGS[outline.having](table, rng) if outline.having else None,
        order=orders[outline.order](table, rng) if outline.order else None,
        limit=rng.randint(1, 3) if outline.limit else 0,
    )


def _telling(select: Select) -> bool:
    """Say whether there are rows, in an order without ties, that every clause changes."""
    database = select.table.open()
    try:
        rows = database.execute(select.sql()).fetchall()
        if not rows or rows == [(None,)] or _tied(select, database):
            return False
        return all(database.execute(other.sql()).fetchall() != rows
                   for other in select.without_one_clause())  # fmt: skip
    finally:
        database.close()


def _tied(select: Select, database: sqlite3.Connection) -> bool:
    """Only an order by a group's number can have ties: names and measures are unique."""
    if not (select.group and select.order and select.order.sql.startswith("2")):
        return False
    rows = database.execute(replace(select, limit=0).sql()).fetchall()
    return len({row[1] for row in rows}) < len(rows)
