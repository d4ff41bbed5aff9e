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
    _op("add", "one_each", _N, "$x + $k", "$x + $k", "add $k", k=LOW),
    _op("times", "one_each", _N, "$x * $k", "$x * $k", "multiply by $k", k=(2, 3, 4)),
    _op("square", "one_each", _N, "$x * $x", "$x * $x", "square it"),
)

_CROSSING = (
    _op(
        "digits",
        "one_list",
        Kind.NUMBERS,
        "[int(c) for c in str($x)]",
        "[...String($x)].map(Number)",
        "take its digits",
    ),
    _op(
        "range",
        "one_list",
        Kind.NUMBERS,
        "list(range($x))",
        "[...Array($x).keys()]",
        "list the numbers below it",
    ),
)

_ANSWERS = (
    _answer(
        "parity",
        Kind.TEXT,
        '"even" if $x % 2 == 0 else "odd"',
        '$x % 2 === 0 ? "even" : "odd"',
        "return even or odd",
    ),
    _answer("big", Kind.TRUTH, "$x > $k", "$x > $k", "return whether it is above $k", k=(4, 6, 8)),
    _answer(
        "pair", Kind.NUMBERS, "[$x, $x + $k]", "[$x, $x + $k]", "return it and $k more", k=(1, 2)
    ),
)

OPERATIONS = (*_NUMBER, *_CROSSING, *_ANSWERS)
