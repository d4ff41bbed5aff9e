"""Operations on a list of numbers at or above 0, where % and // mean the same in JavaScript."""

from mftbench.starter.grammar import Kind, Operation

LOW = (2, 3, 4, 5, 6)
_N = Kind.NUMBERS


def _each(
    name: str, python: str, javascript: str, *phrases: str, k: tuple[int, ...] = ()
) -> Operation:
    return Operation(
        f"each_{name}",
        "number_each",
        _N,
        _N,
        f"[{python} for n in $x]",
        f"$x.map(n => {javascript})",
        phrases,
        k,
    )


def _keep(
    name: str, python: str, javascript: str, *phrases: str, k: tuple[int, ...] = ()
) -> Operation:
    return Operation(
        f"keep_{name}",
        "number_keep",
        _N,
        _N,
        f"[n for n in $x if {python}]",
        f"$x.filter(n => {javascript})",
        phrases,
        k,
    )


def _list(
    name: str, family: str, python: str, javascript: str, *phrases: str, k: tuple[int, ...] = ()
) -> Operation:
    return Operation(name, family, _N, _N, python, javascript, phrases, k)


def _answer(
    name: str, gives: Kind, python: str, javascript: str, *phrases: str, k: tuple[int, ...] = ()
) -> Operation:
    return Operation(name, "number_answer", _N, gives, python, javascript, phrases, k, answers=True)


_KEEP = (
    _keep("even", "n % 2 == 0", "n % 2 === 0", "keep the even numbers"),
    _keep("odd", "n % 2 == 1", "n % 2 === 1", "keep the odd numbers"),
    _keep("above", "n > $k", "n > $k", "keep numbers above $k", k=LOW),
    _keep("below", "n < $k", "n < $k", "keep numbers below $k", k=(4, 5, 6, 7, 8)),
    _keep("not", "n != $k", "n !== $k", "drop every $k", k=LOW),
)

_EACH = (
    _each("add", "n + $k", "n + $k", "add $k to each number", k=LOW),
    _each("times", "n * $k", "n * $k", "multiply each number by $k", k=(2, 3, 4)),
    _each("square", "n * n", "n * n", "square each number"),
    _each(
        "distance", "abs(n - $k)", "Math.abs(n - $k)", "take each number's distance to $k", k=LOW
    ),
)

_LIST = (
    _list(
        "ascending",
        "number_order",
        "sorted($x)",
        "[...$x].sort((a, b) => a - b)",
        "sort in ascending order",
    ),
    _list(
        "descending",
        "number_order",
        "sorted($x, reverse=True)",
        "[...$x].sort((a, b) => b - a)",
        "sort in descending order",
    ),
    _list("backwards", "number_order", "$x[::-1]", "[...$x].reverse()", "reverse the list"),
    _list("head", "number_slice", "$x[:$k]", "$x.slice(0, $k)", "take the first $k", k=(2, 3)),
    _list("skip", "number_slice", "$x[$k:]", "$x.slice($k)", "skip the first $k", k=(1, 2)),
    _list("append", "number_extend", "$x + [$k]", "[...$x, $k]", "append $k", k=LOW),
    _list("prepend", "number_extend", "[$k] + $x", "[$k, ...$x]", "prepend $k", k=LOW),
    _list(
        "pair_sums",
        "number_pairs",
        "[a + b for a, b in zip($x, $x[1:])]",
        "$x.slice(1).map((b, i) => $x[i] + b)",
        "add up neighbours",
    ),
)

_ANSWERS = (
    _answer("sum", Kind.NUMBER, "sum($x)", "$x.reduce((a, b) => a + b, 0)", "return the sum"),
    _answer(
        "largest",
        Kind.NUMBER,
        "max($x, default=0)",
        "Math.max(0, ...$x)",
        "return the maximum or 0",
    ),
    _answer("length", Kind.NUMBER, "len($x)", "$x.length", "return the length"),
    _answer("first", Kind.NUMBER, "$x[0] if $x else 0", "$x[0] ?? 0", "return the first or 0"),
    _answer("last", Kind.NUMBER, "$x[-1] if $x else 0", "$x.at(-1) ?? 0", "return the last or 0"),
    _answer(
        "dashed",
        Kind.TEXT,
        '"-".join(str(n) for n in $x)',
        '$x.join("-")',
        "return them joined by dashes",
    ),
)

OPERATIONS = (*_KEEP, *_EACH, *_LIST, *_ANSWERS)
