"""Operations on one number at or above 0, where % and // mean the same in JavaScript."""

from mftbench.starter.grammar import Kind
from mftbench.starter.operations.taking import Taking

LOW = (2, 3, 4, 5)
_N = Kind.NUMBER
_TAKING = Taking(_N, "number", "one_answer")
_op, _answer = _TAKING.step, _TAKING.answer

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
