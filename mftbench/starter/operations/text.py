"""Operations on a text of lower-case words with single spaces between them."""

from mftbench.starter.grammar import Kind
from mftbench.starter.operations.taking import Taking
from mftbench.starter.operations.words import LETTERS

_T = Kind.TEXT
_TAKING = Taking(_T, "text", "text_answer")
_op, _answer = _TAKING.step, _TAKING.answer

_TEXTS = (
    _op("upper", "text_each", _T, "$x.upper()", "$x.toUpperCase()", "put the text in capitals"),
    _op(
        "backwards", "text_order", _T, "$x[::-1]", '[...$x].reverse().join("")', "reverse the text"
    ),
    _op(
        "remove",
        "text_each",
        _T,
        '$x.replace("$k", "")',
        '$x.replaceAll("$k", "")',
        "remove every $k",
        k=LETTERS,
    ),
    _op(
        "head",
        "text_slice",
        _T,
        "$x[:$k]",
        "$x.slice(0, $k)",
        "take the first $k characters",
        k=(2, 3, 4),
    ),
    _op("twice", "text_extend", _T, "$x + $x", "$x + $x", "double the text"),
)

_CROSSING = (
    _op(
        "split",
        "text_split",
        Kind.WORDS,
        '$x.split(" ")',
        '$x.split(" ")',
        "split the text into words",
    ),
)

_ANSWERS = (
    _answer("length", Kind.NUMBER, "len($x)", "$x.length", "return the length"),
    _answer(
        "count",
        Kind.NUMBER,
        '$x.count("$k")',
        '$x.split("$k").length - 1',
        "return the count of $k",
        k=LETTERS,
    ),
    _answer(
        "starts",
        Kind.TRUTH,
        '$x.startswith("$k")',
        '$x.startsWith("$k")',
        "return whether it starts with $k",
        k=LETTERS,
    ),
)

OPERATIONS = (*_TEXTS, *_CROSSING, *_ANSWERS)
