"""Operations on a text of lower-case words with single spaces between them."""

from mftbench.starter.grammar import Kind, Operation
from mftbench.starter.operations.words import LETTERS

_T = Kind.TEXT


def _op(
    name: str,
    family: str,
    gives: Kind,
    python: str,
    javascript: str,
    *phrases: str,
    k: tuple[int | str, ...] = (),
) -> Operation:
    return Operation(f"text_{name}", family, _T, gives, python, javascript, phrases, k)


def _answer(
    name: str,
    gives: Kind,
    python: str,
    javascript: str,
    *phrases: str,
    k: tuple[int | str, ...] = (),
) -> Operation:
    return Operation(
        f"text_{name}", "text_answer", _T, gives, python, javascript, phrases, k, answers=True
    )


_TEXTS = (
    _op("upper", "text_each", _T, "$x.upper()", "$x.toUpperCase()", "put the text in capitals",
        "make the text upper case"),
    _op("backwards", "text_order", _T, "$x[::-1]", '[...$x].reverse().join("")',
        "reverse the text", "spell the text backwards"),
    _op("sort", "text_order", _T, '"".join(sorted($x))', '[...$x].sort().join("")',
        "sort the characters", "put the characters in order"),
    _op("star", "text_each", _T, '$x.replace("$k", "*")', '$x.replaceAll("$k", "*")',
        "replace every $k by a star", "put a star for each $k", k=LETTERS),
    _op("remove", "text_each", _T, '$x.replace("$k", "")', '$x.replaceAll("$k", "")',
        "remove every $k", "delete the letter $k", k=LETTERS),
    _op("no_vowels", "text_each", _T, '"".join(c for c in $x if c not in "aeiou")',
        '[...$x].filter(c => !"aeiou".includes(c)).join("")', "remove the vowels",
        "delete all vowels"),
    _op("underscores", "text_each", _T, '$x.replace(" ", "_")', '$x.replaceAll(" ", "_")',
        "replace spaces by underscores", "put underscores for spaces"),
    _op("head", "text_slice", _T, "$x[:$k]", "$x.slice(0, $k)", "take the first $k characters",
        "keep only the first $k characters", k=(2, 3, 4)),
    _op("tail", "text_slice", _T, "$x[-$k:]", "$x.slice(-$k)", "take the last $k characters",
        "keep only the last $k characters", k=(2, 3, 4)),
    _op("skip", "text_slice", _T, "$x[$k:]", "$x.slice($k)", "skip the first $k characters",
        "leave out the first $k characters", k=(1, 2, 3)),
    _op("twice", "text_extend", _T, "$x + $x", "$x + $x", "double the text",
        "write the text twice"),
    _op("mirror", "text_extend", _T, "$x + $x[::-1]", '$x + [...$x].reverse().join("")',
        "append the text's mirror image", "join the text to its reverse"),
    _op("quote", "text_extend", _T, '"<" + $x + ">"', '"<" + $x + ">"',
        "put the text in angle brackets", "wrap the text in < and >"),
)  # fmt: skip

_CROSSING = (
    _op("split", "text_split", Kind.WORDS, '$x.split(" ")', '$x.split(" ")',
        "split the text into words", "take the words of the text"),
    _op("characters", "text_split", Kind.WORDS, "list($x)", "[...$x]",
        "split the text into characters", "take the list of characters"),
    _op("positions", "text_find", Kind.NUMBERS, '[i for i, c in enumerate($x) if c == "$k"]',
        '[...$x].flatMap((c, i) => c === "$k" ? [i] : [])', "find the indexes of $k",
        "take every position of $k", k=LETTERS),
    _op("table", "text_table", Kind.COUNTS, "{c: $x.count(c) for c in $x}",
        "Object.fromEntries([...$x].map(c => [c, $x.split(c).length - 1]))",
        "count each character", "map every character to its count"),
)  # fmt: skip

_ANSWERS = (
    _answer("length", Kind.NUMBER, "len($x)", "$x.length", "return the length",
            "return the number of characters"),
    _answer("count", Kind.NUMBER, '$x.count("$k")', '$x.split("$k").length - 1',
            "return the count of $k", "return how often $k occurs", k=LETTERS),
    _answer("vowels", Kind.NUMBER, 'sum(c in "aeiou" for c in $x)',
            '[...$x].filter(c => "aeiou".includes(c)).length', "return the number of vowels",
            "return how many vowels there are"),
    _answer("starts", Kind.TRUTH, '$x.startswith("$k")', '$x.startsWith("$k")',
            "return whether it starts with $k", "return if $k comes first", k=LETTERS),
    _answer("distinct", Kind.NUMBER, "len(set($x))", "new Set($x).size",
            "return the number of distinct characters", "return how many characters differ"),
)  # fmt: skip

OPERATIONS = (*_TEXTS, *_CROSSING, *_ANSWERS)
