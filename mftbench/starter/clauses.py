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
    "name": _name("name", "the name", "the names"),
    "name_measure": _measure("name, $m", "name and $m", "the name and the $m"),
    "name_attribute": _attribute("name, $a", "name and $a", "the name and the $a"),
    "measure": _measure("$m", "the $m", "each $m"),
    "measures": _measure("$m, $o", "$m and $o", "the $m and the $o"),
    "sum": _measure("name, $m + $o", "name and $m plus $o", "the name and the sum of $m and $o"),
    "product": _measure("name, $m * 2", "name and twice the $m", "the name and the doubled $m"),
    "all": _name("*", "everything", "all columns"),
}
WHOLE: Mapping[str, Draw] = {
    "count": _name("COUNT(*)", "how many there are", "the number of rows"),
    "total": _measure("SUM($m)", "the total $m", "the sum of $m"),
    "average": _measure("AVG($m)", "the average $m", "the mean $m"),
    "highest": _measure("MAX($m)", "the highest $m", "the maximum $m"),
    "lowest": _measure("MIN($m)", "the lowest $m", "the minimum $m"),
    "range": _measure("MAX($m) - MIN($m)", "the range of $m", "the highest minus the lowest $m"),
    "distinct": _attribute("DISTINCT $a", "the distinct $a", "each different $a"),
    "variety": _attribute("COUNT(DISTINCT $a)", "the number of distinct $a",
                          "how many different $a there are"),
}  # fmt: skip
CONDITIONS: Mapping[str, Draw] = {
    "above": _measure("$m > $k", "$m is above $k", "$m is more than $k"),
    "least": _measure("$m >= $k", "$m is at least $k", "$m is $k or more"),
    "below": _measure("$m < $k", "$m is below $k", "$m is less than $k"),
    "most": _measure("$m <= $k", "$m is at most $k", "$m is $k or less"),
    "between": _measure("$m BETWEEN $k AND $h", "$m is from $k to $h", "$m is between $k and $h"),
    "exceeds": _measure("$m > $o", "$m is above $o", "$m exceeds $o"),
    "even": _measure("$m % 2 = 0", "$m is even", "$m is an even number"),
    "above_average": _measure("$m > (SELECT AVG($m) FROM $t)", "$m is above average",
                              "$m exceeds its average"),
    "equal": _attribute("$a = '$v'", "$a is $v", "the $a is $v"),
    "other": _attribute("$a != '$v'", "$a is not $v", "the $a is other than $v"),
    "either": _attribute("$a IN ('$v', '$w')", "$a is $v or $w", "the $a is one of $v and $w"),
    "starts": _name("name LIKE '$l%'", "name starts with $l", "the name begins with $l"),
    "ends": _name("name LIKE '%$l'", "name ends with $l", "the name's last letter is $l"),
    "contains": _name("name LIKE '%$l%'", "name contains $l", "the name has the letter $l"),
}  # fmt: skip
ORDERS: Mapping[str, Draw] = {
    "rising": _measure("$m", "by $m", "from lowest to highest $m"),
    "falling": _measure("$m DESC", "by $m descending", "from highest to lowest $m"),
    "alphabet": _name("name", "by name", "alphabetically"),
    "alphabet_back": _name("name DESC", "by name descending", "in reverse alphabetical order"),
}
AGGREGATES: Mapping[str, Draw] = {
    name: WHOLE[name] for name in ("count", "total", "average", "highest", "lowest")
}
HAVINGS: Mapping[str, Draw] = {
    "several": _name("COUNT(*) > 1", "more than one row", "at least two rows"),
    "crowd": _name("COUNT(*) > 2", "more than two rows", "at least three rows"),
    "highest_above": _measure("MAX($m) > $h", "a highest $m above $h", "a maximum $m over $h"),
    "lowest_below": _measure("MIN($m) < $k", "a lowest $m below $k", "a minimum $m under $k"),
    "total_above": _measure("SUM($m) > $h", "a total $m above $h", "a sum of $m over $h"),
}
GROUP_ORDERS: Mapping[str, Draw] = {
    "key": _name("1", "by the group", "alphabetically"),
    "key_back": _name("1 DESC", "by the group descending", "in reverse alphabetical order"),
    "value": _name("2", "by that number", "from lowest to highest"),
    "value_back": _name("2 DESC", "by that number descending", "from highest to lowest"),
}
