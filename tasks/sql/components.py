"""A query as the parts that Spider's exact set match compares (Yu et al. 2018, section 5).

Values are left out, DISTINCT does not count, and columns that a foreign key joins are one column,
as in test-suite-sql-eval's ``evaluation.py``. Queries are parsed by sqlglot.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mftbench.contract import JsonValue, Problem

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Parts", "UnreadableError", "parts"]

# Past these a query is no answer to a question, and its parse could cost the host time or stack.
LONGEST = 4_000
DEEPEST = 25

Unit = tuple[object, ...]


class UnreadableError(Exception):
    """The text is no single query that can be parsed."""


@dataclass(frozen=True)
class Parts:
    """What is compared of one query; nested queries in conditions are parts again.

    Conditions are (not, operator, value unit, nested query or None).
    """

    select: tuple[Unit, ...]
    tables: tuple[object, ...]
    joins: tuple[Unit, ...]
    where: tuple[Unit, ...]
    having: tuple[Unit, ...]
    connectors: frozenset[str]
    group: tuple[object, ...]
    order: tuple[Unit, ...]
    limited: bool
    combined: tuple[tuple[str, Parts], ...] = field(default=())

    @property
    def keywords(self) -> frozenset[str]:
        """The keywords that Spider compares."""
        conditions = (*self.joins, *self.where, *self.having)
        found = {
            "where": self.where,
            "group": self.group,
            "having": self.having,
            "order": self.order,
            "limit": self.limited,
            "or": "or" in self.connectors,
            "not": any(unit[0] for unit in conditions),
            "in": any(unit[1] == "in" for unit in conditions),
            "like": any(unit[1] == "like" for unit in conditions),
        }
        names = {name for name, present in found.items() if present}
        directions = {str(direction) for _, direction in self.order[-1:]}
        return frozenset(names | directions | {name for name, _ in self.combined})


def parts(query: str, problem: Problem) -> Parts:
    """Take a query apart against the problem's columns and foreign keys.

    Raises UnreadableError if it is not one query, too long, or too deep.
    """
    import sqlglot
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of what it reads loosely
    if len(query) > LONGEST or _depth(query) > DEEPEST:
        raise UnreadableError("too long or too deep")
    try:
        trees = sqlglot.parse(query, read="sqlite")
        if len(trees) != 1 or trees[0] is None:
            raise UnreadableError("not one query")
        return _parts(trees[0], _Schema.of(problem), {})
    except (SqlglotError, RecursionError) as error:
        raise UnreadableError(str(error)) from None


@dataclass(frozen=True)
class _Schema:
    """Columns by table, and one name for each group of columns that foreign keys join."""

    columns: Mapping[str, frozenset[str]]
    same: Mapping[str, str]

    @classmethod
    def of(cls, problem: Problem) -> _Schema:
        columns, keys = problem.facts["columns"], problem.facts["foreign_keys"]
        assert isinstance(columns, dict)
        assert isinstance(keys, list)
        return cls(
            {table.lower(): _lowered(names) for table, names in columns.items()}, _joined(keys)
        )


def _lowered(names: JsonValue) -> frozenset[str]:
    assert isinstance(names, list)
    return frozenset(str(name).lower() for name in names)


def _joined(keys: Sequence[JsonValue]) -> dict[str, str]:
    groups: list[set[str]] = []
    for key in keys:
        pair = _lowered(key)
        group = next((group for group in groups if group & pair), None)
        if group is None:
            groups.append(group := set())
        group |= pair
    return {name: min(group) for group in groups for name in group}


Tables = dict[str, str]  # the name used in the query: the table


def _parts(tree: exp.Expr, schema: _Schema, outer: Tables) -> Parts:
    from sqlglot import exp

    if isinstance(tree, exp.Subquery | exp.Paren):
        return _parts(tree.this, schema, outer)
    if isinstance(tree, exp.SetOperation):
        name = tree.key
        left = _parts(tree.this, schema, outer)
        right = _parts(tree.expression, schema, outer)
        return _combined(left, name, right)
    if not isinstance(tree, exp.Select):
        raise UnreadableError(f"{tree.key} is no query")
    return _Reader(schema, outer).read(tree)


def _combined(left: Parts, name: str, right: Parts) -> Parts:
    from dataclasses import replace

    return replace(left, combined=(*left.combined, (name, right)))


@dataclass(frozen=True)
class _Reader:
    """Reads one SELECT. ``outer`` are the tables of the queries around it."""

    schema: _Schema
    outer: Tables
    own: Tables = field(default_factory=dict)

    def read(self, tree: exp.Select) -> Parts:
        from sqlglot import exp

        sources = [tree.args.get("from_") or tree.args.get("from"), *(tree.args.get("joins") or ())]
        tables = tuple(self._table(each.this) for each in sources if each is not None)
        joins = [each.args.get("on") for each in tree.args.get("joins") or ()]
        where, having = tree.args.get("where"), tree.args.get("having")
        conditions = [each.this for each in (where, having) if each] + [on for on in joins if on]
        group, order = tree.args.get("group"), tree.args.get("order")
        return Parts(
            select=tuple(self._unit(each) for each in tree.expressions),
            tables=tuple(sorted(tables, key=repr)),
            joins=tuple(unit for on in joins if on for unit in self._conditions(on)),
            where=tuple(self._conditions(where.this)) if where else (),
            having=tuple(self._conditions(having.this)) if having else (),
            connectors=frozenset(
                node.key
                for each in conditions
                for node in _connected(each)
                if isinstance(node, exp.Connector)
            ),
            group=tuple(self._unit(each) for each in group.expressions) if group else (),
            order=tuple(self._ordered(each) for each in order.expressions) if order else (),
            limited=tree.args.get("limit") is not None,
        )

    def _table(self, node: exp.Expr) -> object:
        from sqlglot import exp

        if isinstance(node, exp.Table):
            name = node.name.lower()
            self.own[(node.alias or node.name).lower()] = name
            return name
        return _parts(node, self.schema, self.outer | self.own)

    def _ordered(self, node: exp.Expr) -> Unit:
        return (self._unit(node.this), "desc" if node.args.get("desc") else "asc")

    def _conditions(self, node: exp.Expr) -> Iterator[Unit]:
        from sqlglot import exp

        for each in _connected(node):
            if not isinstance(each, exp.Connector):
                yield self._condition(each, negated=False)

    def _condition(self, node: exp.Expr, *, negated: bool) -> Unit:
        from sqlglot import exp

        if isinstance(node, exp.Not | exp.Paren):
            return self._condition(node.this, negated=negated ^ isinstance(node, exp.Not))
        nested: exp.Expr | None = next(node.find_all(exp.Subquery, exp.Select), None)
        inner = _parts(nested, self.schema, self.outer | self.own) if nested else None
        left = node.this if isinstance(node.this, exp.Expr) else None
        unit = None if left is None or left is nested else self._unit(left)
        return (negated, node.key, unit, inner)

    def _unit(self, node: exp.Expr) -> Unit:
        """Give what a column, an aggregate or a sum of them is; a value is no more than one."""
        from sqlglot import exp

        if isinstance(node, exp.Alias | exp.Paren):
            return self._unit(node.this)
        if isinstance(node, exp.Distinct) and len(node.expressions) == 1:
            return self._unit(node.expressions[0])
        if isinstance(node, exp.Column):
            return ("column", self._column(node))
        if isinstance(node, exp.Star):
            return ("column", "*")
        if isinstance(node, exp.Literal | exp.Null | exp.Boolean):
            return ("value",)
        if isinstance(node, exp.Subquery | exp.Select):
            return ("query", _parts(node, self.schema, self.outer | self.own))
        inner = [each for each in node.args.values() if isinstance(each, exp.Expr)]
        return (node.key, *(self._unit(each) for each in inner))

    def _column(self, node: exp.Column) -> str:
        name = node.name.lower()
        if name == "*":
            return "*"
        alias = node.table.lower()
        known = self.outer | self.own
        if alias:
            table = known.get(alias, alias)
        else:
            owners = (each for each in known.values() if name in self.schema.columns.get(each, ()))
            table = next(owners, "")
        full = f"{table}.{name}"
        return self.schema.same.get(full, full)


def _connected(node: exp.Expr) -> Iterator[exp.Expr]:
    """Walk the ANDs and ORs of a condition, and what they connect."""
    from sqlglot import exp

    waiting = [node]
    while waiting:
        each = waiting.pop()
        inner = each.unnest() if isinstance(each, exp.Paren) else each
        yield inner
        if isinstance(inner, exp.Connector):
            waiting += [inner.right, inner.left]


def _depth(text: str) -> int:
    depth = deepest = 0
    for sign in text:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        deepest = max(deepest, depth)
    return deepest
