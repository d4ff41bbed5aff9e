"""Operations on a list of words."""

from mftbench.starter.grammar import Kind
from mftbench.starter.operations.taking import Taking

LETTERS = ("a", "e", "o", "r", "t")
_W = Kind.WORDS
_TAKING = Taking(_W, "words", "word_answer")
_op, _answer = _TAKING.step, _TAKING.answer

_WORDS = (
    _op(
        "longer",
        "word_keep",
        _W,
        "[w for w in $x if len(w) > $k]",
        "$x.filter(w => w.length > $k)",
        "keep words longer than $k letters",
        k=(2, 3),
    ),
    _op(
        "having",
        "word_keep",
        _W,
        '[w for w in $x if "$k" in w]',
        '$x.filter(w => w.includes("$k"))',
        "keep words with the letter $k",
        k=LETTERS,
    ),
    _op(
        "lacking",
        "word_keep",
        _W,
        '[w for w in $x if "$k" not in w]',
        '$x.filter(w => !w.includes("$k"))',
        "drop words with the letter $k",
        k=LETTERS,
    ),
    _op(
        "upper",
        "word_each",
        _W,
        "[w.upper() for w in $x]",
        "$x.map(w => w.toUpperCase())",
        "put each word in capitals",
    ),
    _op(
        "initial",
        "word_each",
        _W,
        "[w[:1] for w in $x]",
        "$x.map(w => w.slice(0, 1))",
        "take each word's first letter",
    ),
    _op(
        "suffix",
        "word_each",
        _W,
        '[w + "$k" for w in $x]',
        '$x.map(w => w + "$k")',
        "add $k to the end of each word",
        k=("s", "y", "!"),
    ),
    _op("sort", "word_order", _W, "sorted($x)", "[...$x].sort()", "sort the words"),
    _op(
        "backwards",
        "word_order",
        _W,
        "$x[::-1]",
        "[...$x].reverse()",
        "reverse the order of the words",
    ),
    _op(
        "head", "word_slice", _W, "$x[:$k]", "$x.slice(0, $k)", "take the first $k words", k=(1, 2)
    ),
)

_CROSSING = (
    _op(
        "lengths",
        "word_measure",
        Kind.NUMBERS,
        "[len(w) for w in $x]",
        "$x.map(w => w.length)",
        "take the length of each word",
    ),
    _op(
        "join", "word_join", Kind.TEXT, '" ".join($x)', '$x.join(" ")', "join the words with spaces"
    ),
)

_ANSWERS = (
    _answer(
        "longest",
        Kind.TEXT,
        'max($x, key=len, default="")',
        '$x.reduce((a, b) => b.length > a.length ? b : a, "")',
        "return the longest word",
    ),
    _answer(
        "first", Kind.TEXT, '$x[0] if $x else ""', '$x[0] ?? ""', "return the first word or nothing"
    ),
    _answer("number", Kind.NUMBER, "len($x)", "$x.length", "return the number of words"),
    _answer("commas", Kind.TEXT, '",".join($x)', '$x.join(",")', "return them joined by commas"),
)

OPERATIONS = (*_WORDS, *_CROSSING, *_ANSWERS)
