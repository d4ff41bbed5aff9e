"""Operations on a dict from a word to a number."""

from mftbench.starter.grammar import Kind, Operation

LOW = (2, 3, 4, 5)
KEYS = ("ant", "bee", "cat", "dog", "elk")
_C = Kind.COUNTS


def _op(
    name: str,
    family: str,
    gives: Kind,
    python: str,
    javascript: str,
    *phrases: str,
    k: tuple[int | str, ...] = (),
) -> Operation:
    return Operation(f"counts_{name}", family, _C, gives, python, javascript, phrases, k)


def _answer(
    name: str,
    gives: Kind,
    python: str,
    javascript: str,
    *phrases: str,
    k: tuple[int | str, ...] = (),
) -> Operation:
    return Operation(
        f"counts_{name}", "count_answer", _C, gives, python, javascript, phrases, k, answers=True
    )


_COUNTS = (
    _op("above", "count_keep", _C, "{a: b for a, b in $x.items() if b > $k}",
        "Object.fromEntries(Object.entries($x).filter(([a, b]) => b > $k))",
        "keep entries with a value above $k", "keep entries worth more than $k", k=LOW),
    _op("below", "count_keep", _C, "{a: b for a, b in $x.items() if b < $k}",
        "Object.fromEntries(Object.entries($x).filter(([a, b]) => b < $k))",
        "keep entries with a value below $k", "keep entries worth less than $k", k=(5, 6, 7)),
    _op("add", "count_each", _C, "{a: b + $k for a, b in $x.items()}",
        "Object.fromEntries(Object.entries($x).map(([a, b]) => [a, b + $k]))",
        "add $k to each value", "raise every value by $k", k=LOW),
    _op("times", "count_each", _C, "{a: b * $k for a, b in $x.items()}",
        "Object.fromEntries(Object.entries($x).map(([a, b]) => [a, b * $k]))",
        "multiply each value by $k", "scale every value by $k", k=(2, 3)),
    _op("long_keys", "count_keep", _C, "{a: b for a, b in $x.items() if len(a) > $k}",
        "Object.fromEntries(Object.entries($x).filter(([a, b]) => a.length > $k))",
        "keep entries with a key longer than $k", "keep keys of more than $k letters", k=(2, 3)),
    _op("upper", "count_each", _C, "{a.upper(): b for a, b in $x.items()}",
        "Object.fromEntries(Object.entries($x).map(([a, b]) => [a.toUpperCase(), b]))",
        "put the keys in capitals", "make every key upper case"),
)  # fmt: skip

_CROSSING = (
    _op("values", "count_list", Kind.NUMBERS, "list($x.values())", "Object.values($x)",
        "take the values", "make a list of the values"),
    _op("keys", "count_list", Kind.WORDS, "list($x)", "Object.keys($x)", "take the keys",
        "make a list of the keys"),
    _op("ranking", "count_list", Kind.WORDS, "sorted($x, key=$x.get)",
        "Object.keys($x).sort((a, b) => $x[a] - $x[b])", "sort the keys by their values",
        "take the keys from small to large value"),
)  # fmt: skip

_ANSWERS = (
    _answer("total", Kind.NUMBER, "sum($x.values())",
            "Object.values($x).reduce((a, b) => a + b, 0)", "return the sum of the values",
            "return the values' total"),
    _answer("size", Kind.NUMBER, "len($x)", "Object.keys($x).length",
            "return the number of entries", "return how many entries there are"),
    _answer("peak", Kind.NUMBER, "max($x.values(), default=0)",
            "Math.max(0, ...Object.values($x))", "return the largest value or 0",
            "return the highest value, 0 if empty"),
    _answer("best", Kind.TEXT, 'max($x, key=$x.get, default="")',
            'Object.keys($x).sort((a, b) => $x[b] - $x[a])[0] ?? ""',
            "return the key of the largest value", "return the key that has the highest value"),
    _answer("lookup", Kind.NUMBER, '$x.get("$k", 0)', '$x["$k"] ?? 0',
            "return the value of $k or 0", "return what $k maps to, 0 if absent", k=KEYS),
)  # fmt: skip

OPERATIONS = (*_COUNTS, *_CROSSING, *_ANSWERS)
