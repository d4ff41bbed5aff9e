"""The grammar of SELECTs: what each clause can be, in SQL and in English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from mftbench.starter.tables import ATTRIBUTES, LOOKUPS, Table


@dataclass(frozen=True)
class Clause:
    """One construct of a query: its SQL and how a question says it."""

    sql: str
    english: str


Draw = Callable[[Table, Random], Clause]


def _measure(sql: str, *phrases: str) -> Draw:
    """Make a clause of one measure ``$m`` and a limit ``$k`` from the column's middle."""

    def draw(table: Table, rng: Random) -> Clause:
        measure, other = rng.sample(table.measures, 2)
        ordered = sorted(int(value) for value in table.values(measure))
        low, high = ordered[len(ordered) // 4], ordered[-len(ordered) // 4]
        limit = rng.randint(low, high)

        def fill(text: str) -> str:
            pairs = {"$m": measure, "$o": other, "$k": limit, "$h": high, "$t": table.name}
            for sign, value in pairs.items():
                text = text.replace(sign, str(value))
            return text

        return Clause(fill(sql), fill(rng.choice(phrases)))

    return draw


def _attribute(sql: str, *phrases: str) -> Draw:
    """Make a clause of one attribute ``$a`` and two of its values ``$v`` and ``$w``."""

    def draw(table: Table, rng: Random) -> Clause:
        attribute = rng.choice(table.attributes)
        value, other = rng.sample(ATTRIBUTES[attribute], 2)

        def fill(text: str) -> str:
            return text.replace("$a", attribute).replace("$v", value).replace("$w", other)

        return Clause(fill(sql), fill(rng.choice(phrases)))

    return draw


def _name(sql: str, *phrases: str) -> Draw:
    def draw(table: Table, rng: Random) -> Clause:
        letter = str(rng.choice(table.values("name")))[rng.choice((0, -1))]
        return Clause(sql.replace("$l", letter), rng.choice(phrases).replace("$l", letter))

    return draw


def joined(table: Table, rng: Random) -> Clause:
    """Make a condition on the column that the lookup table adds."""
    _, column, values = LOOKUPS[table.attributes[0]]
    value = rng.choice(values)
    return Clause(f"{column} = '{value}'", f"{column} is {value}")


PLAIN: Mapping[str, Draw] = {
    "name": _name("name", "the name"),
    "name_measure": _measure("name, $m", "name and $m"),
    "measure": _measure("$m", "the $m"),
    "measures": _measure("$m, $o", "$m and $o"),
    "sum": _measure("name, $m + $o", "name and $m plus $o"),
}
WHOLE: Mapping[str, Draw] = {
    "count": _name("COUNT(*)", "how many there are"),
    "total": _measure("SUM($m)", "the total $m"),
    "average": _measure("AVG($m)", "the average $m"),
    "highest": _measure("MAX($m)", "the highest $m"),
    "lowest": _measure("MIN($m)", "the lowest $m"),
}
CONDITIONS: Mapping[str, Draw] = {
    "above": _measure("$m > $k", "$m is above $k"),
    "least": _measure("$m >= $k", "$m is at least $k"),
    "below": _measure("$m < $k", "$m is below $k"),
    "between": _measure("$m BETWEEN $k AND $h", "$m is from $k to $h"),
    "equal": _attribute("$a = '$v'", "$a is $v"),
    "other": _attribute("$a != '$v'", "$a is not $v"),
    "starts": _name("name LIKE '$l%'", "name starts with $l"),
}
ORDERS: Mapping[str, Draw] = {
    "rising": _measure("$m", "by $m"),
    "falling": _measure("$m DESC", "by $m descending"),
    "alphabet": _name("name", "by name"),
    "alphabet_back": _name("name DESC", "by name descending"),
}
AGGREGATES: Mapping[str, Draw] = {
    name: WHOLE[name] for name in ("count", "total", "average", "highest", "lowest")
}
HAVINGS: Mapping[str, Draw] = {
    "several": _name("COUNT(*) > 1", "more than one row"),
}
GROUP_ORDERS: Mapping[str, Draw] = {
    "key": _name("1", "by the group"),
    "key_back": _name("1 DESC", "by the group descending"),
    "value": _name("2", "by that number"),
    "value_back": _name("2 DESC", "by that number descending"),
}
