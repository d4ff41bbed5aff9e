"""Operations on one number at or above 0, where % and // mean the same in JavaScript."""

from mftbench.starter.grammar import Kind, Operation

LOW = (2, 3, 4, 5)
_N = Kind.NUMBER


def _op(
    name: str,
    family: str,
    gives: Kind,
    python: str,
    javascript: str,
    *phrases: str,
    k: tuple[int | str, ...] = (),
) -> Operation:
    return Operation(f"number_{name}", family, _N, gives, python, javascript, phrases, k)


def _answer(
    name: str,
    gives: Kind,
    python: str,
    javascript: str,
    *phrases: str,
    k: tuple[int | str, ...] = (),
) -> Operation:
    return Operation(
        f"number_{name}", "one_answer", _N, gives, python, javascript, phrases, k, answers=True
    )


_NUMBER = (
    _op("add", "one_each", _N, "$x + $k", "$x + $k", "add $k", "raise it by $k", k=LOW),
    _op("times", "one_each", _N, "$x * $k", "$x * $k", "multiply by $k", "scale it by $k",
        k=(2, 3, 4)),
    _op("square", "one_each", _N, "$x * $x", "$x * $x", "square it", "multiply it by itself"),
    _op("modulo", "one_each", _N, "$x % $k", "$x % $k", "take it modulo $k",
        "take the remainder by $k", k=(3, 4, 5, 7)),
    _op("divide", "one_each", _N, "$x // $k", "Math.floor($x / $k)", "divide by $k, rounding down",
        "floor divide it by $k", k=(2, 3)),
    _op("distance", "one_each", _N, "abs($x - $k)", "Math.abs($x - $k)", "take its distance to $k",
        "take how far it is from $k", k=(4, 6, 8)),
    _op("cap", "one_each", _N, "min($x, $k)", "Math.min($x, $k)", "cap it at $k",
        "limit it to at most $k", k=(6, 8, 9)),
)  # fmt: skip

_CROSSING = (
    _op("digits", "one_list", Kind.NUMBERS, "[int(c) for c in str($x)]",
        "[...String($x)].map(Number)", "take its digits", "split it into digits"),
    _op("range", "one_list", Kind.NUMBERS, "list(range($x))", "[...Array($x).keys()]",
        "list the numbers below it", "count from 0 up to before it"),
    _op("divisors", "one_list", Kind.NUMBERS, "[d for d in range(1, $x + 1) if $x % d == 0]",
        "[...Array($x + 1).keys()].filter(d => $x % d === 0)", "list its divisors",
        "find the numbers that divide it"),
    _op("multiples", "one_list", Kind.NUMBERS, "[$x * i for i in range($k)]",
        "[...Array($k).keys()].map(i => $x * i)", "list its first $k multiples from 0",
        "multiply it by each index below $k", k=(3, 4)),
    _op("stars", "one_text", Kind.TEXT, '"*" * $x', '"*".repeat($x)', "write that many stars",
        "make a row of that many stars"),
)  # fmt: skip

_ANSWERS = (
    _answer("parity", Kind.TEXT, '"even" if $x % 2 == 0 else "odd"',
            '$x % 2 === 0 ? "even" : "odd"', "return even or odd", "return the name of its parity"),
    _answer("big", Kind.TRUTH, "$x > $k", "$x > $k", "return whether it is above $k",
            "return if it exceeds $k", k=(4, 6, 8)),
    _answer("last_digit", Kind.NUMBER, "$x % 10", "$x % 10", "return the last digit",
            "return the units digit"),
    _answer("digit_count", Kind.NUMBER, "len(str($x))", "String($x).length",
            "return the number of digits", "return how many digits it has"),
    _answer("pair", Kind.NUMBERS, "[$x, $x + $k]", "[$x, $x + $k]", "return it and $k more",
            "return the pair of it and it plus $k", k=(1, 2)),
)  # fmt: skip

OPERATIONS = (*_NUMBER, *_CROSSING, *_ANSWERS)
