"""Operations on a list of words."""

from mftbench.starter.grammar import Kind, Operation

LETTERS = ("a", "e", "o", "r", "t")
_W = Kind.WORDS


def _op(
    name: str,
    family: str,
    gives: Kind,
    python: str,
    javascript: str,
    *phrases: str,
    k: tuple[int | str, ...] = (),
) -> Operation:
    return Operation(f"words_{name}", family, _W, gives, python, javascript, phrases, k)


def _answer(
    name: str,
    gives: Kind,
    python: str,
    javascript: str,
    *phrases: str,
    k: tuple[int | str, ...] = (),
) -> Operation:
    return Operation(
        f"words_{name}", "word_answer", _W, gives, python, javascript, phrases, k, answers=True
    )


_WORDS = (
    _op("longer", "word_keep", _W, "[w for w in $x if len(w) > $k]",
        "$x.filter(w => w.length > $k)", "keep words longer than $k letters",
        "keep words of more than $k letters", k=(2, 3)),
    _op("shorter", "word_keep", _W, "[w for w in $x if len(w) < $k]",
        "$x.filter(w => w.length < $k)", "keep words shorter than $k letters",
        "keep words of fewer than $k letters", k=(4, 5)),
    _op("having", "word_keep", _W, '[w for w in $x if "$k" in w]',
        '$x.filter(w => w.includes("$k"))', "keep words with the letter $k",
        "keep words that contain $k", k=LETTERS),
    _op("lacking", "word_keep", _W, '[w for w in $x if "$k" not in w]',
        '$x.filter(w => !w.includes("$k"))', "drop words with the letter $k",
        "drop words that contain $k", k=LETTERS),
    _op("upper", "word_each", _W, "[w.upper() for w in $x]", "$x.map(w => w.toUpperCase())",
        "put each word in capitals", "make every word upper case"),
    _op("flip", "word_each", _W, "[w[::-1] for w in $x]",
        '$x.map(w => [...w].reverse().join(""))', "spell each word backwards",
        "reverse the letters of every word"),
    _op("initial", "word_each", _W, "[w[:1] for w in $x]", "$x.map(w => w.slice(0, 1))",
        "take each word's first letter", "replace the words by their initials"),
    _op("title", "word_each", _W, "[w[:1].upper() + w[1:] for w in $x]",
        "$x.map(w => w.slice(0, 1).toUpperCase() + w.slice(1))", "capitalise each word",
        "make every first letter a capital"),
    _op("suffix", "word_each", _W, '[w + "$k" for w in $x]', '$x.map(w => w + "$k")',
        "add $k to the end of each word", "end every word with $k", k=("s", "y", "!")),
    _op("behead", "word_each", _W, "[w[1:] for w in $x]", "$x.map(w => w.slice(1))",
        "cut each word's first letter", "drop the first letter of every word"),
    _op("sort", "word_order", _W, "sorted($x)", "[...$x].sort()", "sort the words",
        "put the words in alphabetical order"),
    _op("by_length", "word_order", _W, "sorted($x, key=len)",
        "[...$x].sort((a, b) => a.length - b.length)", "sort the words by length",
        "order the words from short to long"),
    _op("backwards", "word_order", _W, "$x[::-1]", "[...$x].reverse()",
        "reverse the order of the words", "turn the list of words around"),
    _op("head", "word_slice", _W, "$x[:$k]", "$x.slice(0, $k)", "take the first $k words",
        "keep only the first $k words", k=(1, 2)),
    _op("tail", "word_slice", _W, "$x[-$k:]", "$x.slice(-$k)", "take the last $k words",
        "keep only the last $k words", k=(1, 2)),
    _op("unique", "word_unique", _W, "list(dict.fromkeys($x))", "[...new Set($x)]",
        "remove repeated words", "keep the first of equal words"),
)  # fmt: skip

_CROSSING = (
    _op("lengths", "word_measure", Kind.NUMBERS, "[len(w) for w in $x]",
        "$x.map(w => w.length)", "take the length of each word",
        "replace the words by their lengths"),
    _op("letter_counts", "word_measure", Kind.NUMBERS, '[w.count("$k") for w in $x]',
        '$x.map(w => w.split("$k").length - 1)', "count $k in each word",
        "take how often $k occurs in every word", k=LETTERS),
    _op("join", "word_join", Kind.TEXT, '" ".join($x)', '$x.join(" ")',
        "join the words with spaces", "make one text of the words"),
    _op("glue", "word_join", Kind.TEXT, '"".join($x)', '$x.join("")', "glue the words together",
        "join the words without spaces"),
    _op("table", "word_table", Kind.COUNTS, "{w: len(w) for w in $x}",
        "Object.fromEntries($x.map(w => [w, w.length]))", "map each word to its length",
        "make a table from word to length"),
)  # fmt: skip

_ANSWERS = (
    _answer("longest", Kind.TEXT, 'max($x, key=len, default="")',
            '$x.reduce((a, b) => b.length > a.length ? b : a, "")', "return the longest word",
            "return the word with most letters"),
    _answer("first", Kind.TEXT, '$x[0] if $x else ""', '$x[0] ?? ""',
            "return the first word or nothing", "return the first word, empty if none"),
    _answer("last", Kind.TEXT, '$x[-1] if $x else ""', '$x.at(-1) ?? ""',
            "return the last word or nothing", "return the last word, empty if none"),
    _answer("number", Kind.NUMBER, "len($x)", "$x.length", "return the number of words",
            "return how many words there are"),
    _answer("letters", Kind.NUMBER, 'len("".join($x))', '$x.join("").length',
            "return the number of letters", "return the total length"),
    _answer("commas", Kind.TEXT, '",".join($x)', '$x.join(",")', "return them joined by commas",
            "return a text with commas between"),
)  # fmt: skip

OPERATIONS = (*_WORDS, *_CROSSING, *_ANSWERS)
