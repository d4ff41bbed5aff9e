"""A Spider schema as text for a prompt: definitions, definitions with sample rows, or compact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

__all__ = ["SERIALISATIONS", "Schema"]

Sample = Callable[[str], list[tuple[object, ...]]]

# Spider's types, as SQLite has them.
_TYPES = {"text": "TEXT", "number": "NUMERIC", "time": "DATETIME", "boolean": "BOOLEAN"}
_LONGEST = 40  # characters of a sample value


@dataclass(frozen=True)
class Schema:
    """One item of tables.json: tables and columns by their original names, keys by position."""

    db_id: str
    table_names_original: tuple[str, ...]
    column_names_original: tuple[tuple[int, str], ...]
    column_types: tuple[str, ...]
    primary_keys: tuple[int | tuple[int, ...], ...]
    foreign_keys: tuple[tuple[int, int], ...]

    @cached_property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """The columns of every table."""
        return {
            table: tuple(name for _, name in self.columns_of(number))
            for number, table in enumerate(self.table_names_original)
        }

    @property
    def foreign_key_names(self) -> list[tuple[str, str]]:
        """Foreign keys as ``table.column`` pairs."""
        return [(self.column(left), self.column(right)) for left, right in self.foreign_keys]

    def columns_of(self, table: int) -> list[tuple[int, str]]:
        """List a table's columns by position and name."""
        return [
            (position, name)
            for position, (owner, name) in enumerate(self.column_names_original)
            if owner == table
        ]

    def column(self, position: int) -> str:
        """Name a column with its table."""
        owner, name = self.column_names_original[position]
        return f"{self.table_names_original[owner]}.{name}"

    def primary_key(self, table: int) -> list[str]:
        """Name the columns of a table's primary key, of one column or several."""
        keys = [key if isinstance(key, tuple) else (key,) for key in self.primary_keys]
        own = dict(self.columns_of(table))
        return [own[position] for key in keys for position in key if position in own]


def definitions(schema: Schema, sample: Sample) -> str:
    """Write one CREATE TABLE statement for each table."""
    return "\n".join(_create(schema, number) for number in range(len(schema.table_names_original)))


def with_rows(schema: Schema, sample: Sample) -> str:
    """Write every definition with three rows of the table below it, as a comment."""
    return "\n".join(
        f"{_create(schema, number)}\n/* {_rows(sample(table))} */"
        for number, table in enumerate(schema.table_names_original)
    )


def compact(schema: Schema, sample: Sample) -> str:
    """Write one line for each table, and one for each foreign key."""
    tables = [f"-- {table}({', '.join(columns)})" for table, columns in schema.columns.items()]
    return "\n".join(
        [*tables, *(f"-- {left} = {right}" for left, right in schema.foreign_key_names)]
    )


SERIALISATIONS: Mapping[str, Callable[[Schema, Sample], str]] = {
    "ddl": definitions,
    "rows": with_rows,
    "compact": compact,
}


def _create(schema: Schema, table: int) -> str:
    name = schema.table_names_original[table]
    lines = [
        f"{_quoted(column)} {_TYPES.get(schema.column_types[position], 'TEXT')}"
        for position, column in schema.columns_of(table)
    ]
    if key := schema.primary_key(table):
        lines.append(f"PRIMARY KEY ({', '.join(map(_quoted, key))})")
    for left, right in schema.foreign_keys:
        owner, column = schema.column_names_original[left]
        if owner == table:
            other, target = schema.column_names_original[right]
            refers = f"{_quoted(schema.table_names_original[other])}({_quoted(target)})"
            lines.append(f"FOREIGN KEY ({_quoted(column)}) REFERENCES {refers}")
    return f"CREATE TABLE {_quoted(name)} ({', '.join(lines)});"


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f'"{name}"'


def _rows(rows: list[tuple[object, ...]]) -> str:
    shown = (", ".join(str(value)[:_LONGEST] for value in row) for row in rows)
    return "; ".join(f"({row})" for row in shown).replace("*/", "* /") or "no rows"
