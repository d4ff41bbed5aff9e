"""Operations on a dict from a word to a number."""

from mftbench.starter.grammar import Kind
from mftbench.starter.operations.taking import Taking

LOW = (2, 3, 4, 5)
KEYS = ("ant", "bee", "cat", "dog", "elk")
_C = Kind.COUNTS
_TAKING = Taking(_C, "counts", "count_answer")
_op, _answer = _TAKING.step, _TAKING.answer

_COUNTS = (
    _op(
        "above",
        "count_keep",
        _C,
        "{a: b for a, b in $x.items() if b > $k}",
        "Object.fromEntries(Object.entries($x).filter(([a, b]) => b > $k))",
        "keep entries with a value above $k",
        k=LOW,
    ),
    _op(
        "below",
        "count_keep",
        _C,
        "{a: b for a, b in $x.items() if b < $k}",
        "Object.fromEntries(Object.entries($x).filter(([a, b]) => b < $k))",
        "keep entries with a value below $k",
        k=(5, 6, 7),
    ),
    _op(
        "add",
        "count_each",
        _C,
        "{a: b + $k for a, b in $x.items()}",
        "Object.fromEntries(Object.entries($x).map(([a, b]) => [a, b + $k]))",
        "add $k to each value",
        k=LOW,
    ),
)

_CROSSING = (
    _op(
        "values",
        "count_list",
        Kind.NUMBERS,
        "list($x.values())",
        "Object.values($x)",
        "take the values",
    ),
    _op("keys", "count_list", Kind.WORDS, "list($x)", "Object.keys($x)", "take the keys"),
)

_ANSWERS = (
    _answer(
        "total",
        Kind.NUMBER,
        "sum($x.values())",
        "Object.values($x).reduce((a, b) => a + b, 0)",
        "return the sum of the values",
    ),
    _answer(
        "size", Kind.NUMBER, "len($x)", "Object.keys($x).length", "return the number of entries"
    ),
    _answer(
        "best",
        Kind.TEXT,
        'max($x, key=$x.get, default="")',
        'Object.keys($x).sort((a, b) => $x[b] - $x[a])[0] ?? ""',
        "return the key of the largest value",
    ),
)

OPERATIONS = (*_COUNTS, *_CROSSING, *_ANSWERS)
