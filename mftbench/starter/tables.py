"""Draws small tables, and a second one that explains an attribute of the first."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from random import Random

TABLES = ("birds", "boats", "books", "cars", "games", "plants", "songs", "teams")
NAMES = (
    "ada", "ben", "cleo", "dan", "eve", "finn", "gil", "hana", "ivo", "jon", "kim", "leo", "mia",
    "nora", "otto", "pia", "rosa", "sam", "tom", "uma", "vera", "zoe",
)  # fmt: skip
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "city": ("bonn", "lima", "oslo", "rome", "york"),
    "color": ("blue", "gold", "green", "red", "white"),
    "kind": ("large", "mixed", "plain", "small", "wild"),
    "owner": ("amy", "bob", "carl", "dora", "emil"),
    "state": ("new", "old", "open", "sold", "used"),
}
MEASURES = ("age", "height", "price", "score", "speed", "weight")
LOOKUPS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "city": ("cities", "region", ("coast", "hills", "south")),
    "color": ("paints", "maker", ("acme", "bolt", "core")),
    "kind": ("kinds", "class", ("first", "second", "third")),
    "owner": ("owners", "club", ("chess", "rugby", "tennis")),
    "state": ("states", "label", ("fine", "good", "poor")),
}
_ROWS = (8, 12)
_HIGHEST = 30


@dataclass(frozen=True)
class Table:
    """A table, its rows, and the table that explains its first attribute.

    Columns are ``name`` (unique), the attributes (text), the measures (integers, no ties).
    """

    name: str
    attributes: tuple[str, ...]
    measures: tuple[str, ...]
    rows: tuple[tuple[str | int, ...], ...]
    lookup: tuple[tuple[str, str], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Give the column names in order."""
        return ("name", *self.attributes, *self.measures)

    def values(self, column: str) -> list[str | int]:
        """Give a column's values in row order."""
        position = self.columns.index(column)
        return [row[position] for row in self.rows]

    def schema(self, *, with_lookup: bool) -> str:
        """Write the statements that make the tables, one a line."""
        text = [f"{column} TEXT" for column in ("name", *self.attributes)]
        numbers = [f"{column} INTEGER" for column in self.measures]
        create = [f"CREATE TABLE {self.name} ({', '.join(text + numbers)});"]
        insert = [_insert(self.name, self.rows)]
        if with_lookup:
            attribute = self.attributes[0]
            name, column, _ = LOOKUPS[attribute]
            create.append(f"CREATE TABLE {name} ({attribute} TEXT, {column} TEXT);")
            insert.append(_insert(name, self.lookup))
        return "\n".join(create + insert)

    def open(self) -> sqlite3.Connection:
        """Make the tables in a database in memory."""
        database = sqlite3.connect(":memory:")
        database.executescript(self.schema(with_lookup=True))
        return database


def draw_table(rng: Random) -> Table:
    """Draw a table of 8 to 12 rows; every attribute has repeats, no measure has ties."""
    attributes = tuple(rng.sample(sorted(ATTRIBUTES), 2))
    measures = tuple(rng.sample(MEASURES, 2))
    size = rng.randint(*_ROWS)
    columns: list[list[str | int]] = [list(rng.sample(NAMES, size))]
    columns += [rng.choices(rng.sample(ATTRIBUTES[name], 3), k=size) for name in attributes]
    columns += [list(rng.sample(range(1, _HIGHEST), size)) for _ in measures]
    explained = LOOKUPS[attributes[0]][2]
    lookup = tuple((value, rng.choice(explained)) for value in ATTRIBUTES[attributes[0]])
    rows = tuple(zip(*columns, strict=True))
    return Table(rng.choice(TABLES), attributes, measures, rows, lookup)


def _insert(table: str, rows: tuple[tuple[str | int, ...], ...]) -> str:
    values = ", ".join(f"({', '.join(map(repr, row))})" for row in rows)
    return f"INSERT INTO {table} VALUES {values};"
