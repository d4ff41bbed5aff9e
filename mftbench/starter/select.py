"""A query with its clauses drawn: its SQL, its English, and what is left without one clause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mftbench.starter.clauses import Clause
from mftbench.starter.tables import LOOKUPS, Table


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
