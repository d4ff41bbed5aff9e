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
    _keep("even", "n % 2 == 0", "n % 2 === 0", "keep the even numbers", "drop the odd numbers"),
    _keep("odd", "n % 2 == 1", "n % 2 === 1", "keep the odd numbers", "drop the even numbers"),
    _keep("above", "n > $k", "n > $k", "keep numbers above $k", "keep what is more than $k", k=LOW),
    _keep("below", "n < $k", "n < $k", "keep numbers below $k", "keep what is less than $k",
          k=(4, 5, 6, 7, 8)),
    _keep("least", "n >= $k", "n >= $k", "keep numbers of at least $k", "drop numbers below $k",
          k=LOW),
    _keep("not", "n != $k", "n !== $k", "drop every $k", "keep numbers other than $k", k=LOW),
    _keep("multiple", "n % $k == 0", "n % $k === 0", "keep multiples of $k",
          "keep numbers divisible by $k", k=(3, 4)),
)  # fmt: skip

_EACH = (
    _each("add", "n + $k", "n + $k", "add $k to each number", "raise every number by $k", k=LOW),
    _each("times", "n * $k", "n * $k", "multiply each number by $k", "scale every number by $k",
          k=(2, 3, 4)),
    _each("square", "n * n", "n * n", "square each number", "take the square of every number"),
    _each("distance", "abs(n - $k)", "Math.abs(n - $k)", "take each number's distance to $k",
          "replace each number by how far it is from $k", k=LOW),
    _each("modulo", "n % $k", "n % $k", "take each number modulo $k",
          "replace each number by its remainder by $k", k=(3, 4, 5)),
    _each("divide", "n // $k", "Math.floor(n / $k)", "divide each number by $k, rounding down",
          "floor divide every number by $k", k=(2, 3)),
    _each("cap", "min(n, $k)", "Math.min(n, $k)", "cap each number at $k",
          "limit every number to at most $k", k=LOW),
    _each("floor", "max(n, $k)", "Math.max(n, $k)", "lift each number to at least $k",
          "replace numbers below $k by $k", k=LOW),
)  # fmt: skip

_LIST = (
    _list("ascending", "number_order", "sorted($x)", "[...$x].sort((a, b) => a - b)",
          "sort in ascending order", "order from small to large"),
    _list("descending", "number_order", "sorted($x, reverse=True)",
          "[...$x].sort((a, b) => b - a)", "sort in descending order", "order from large to small"),
    _list("backwards", "number_order", "$x[::-1]", "[...$x].reverse()", "reverse the list",
          "turn the list around"),
    _list("head", "number_slice", "$x[:$k]", "$x.slice(0, $k)", "take the first $k",
          "keep only the first $k", k=(2, 3)),
    _list("tail", "number_slice", "$x[-$k:]", "$x.slice(-$k)", "take the last $k",
          "keep only the last $k", k=(2, 3)),
    _list("skip", "number_slice", "$x[$k:]", "$x.slice($k)", "skip the first $k",
          "leave out the first $k", k=(1, 2)),
    _list("chop", "number_slice", "$x[:-$k]", "$x.slice(0, -$k)", "drop the last $k",
          "leave out the last $k", k=(1, 2)),
    _list("second", "number_slice", "$x[::2]", "$x.filter((n, i) => i % 2 === 0)",
          "take every second item", "keep the items at even positions"),
    _list("unique", "number_unique", "list(dict.fromkeys($x))", "[...new Set($x)]",
          "remove duplicates", "keep the first of equal items"),
    _list("append", "number_extend", "$x + [$k]", "[...$x, $k]", "append $k",
          "put $k at the end", k=LOW),
    _list("prepend", "number_extend", "[$k] + $x", "[$k, ...$x]", "prepend $k",
          "put $k in front", k=LOW),
    _list("repeat", "number_extend", "$x + $x", "[...$x, ...$x]", "repeat the list twice",
          "join the list to itself"),
    _list("mirror", "number_extend", "$x + $x[::-1]", "[...$x, ...[...$x].reverse()]",
          "append the list's mirror image", "join the list to its reverse"),
    _list("pair_sums", "number_pairs", "[a + b for a, b in zip($x, $x[1:])]",
          "$x.slice(1).map((b, i) => $x[i] + b)", "add up neighbours",
          "take the sums of adjacent items"),
    _list("pair_gaps", "number_pairs", "[abs(a - b) for a, b in zip($x, $x[1:])]",
          "$x.slice(1).map((b, i) => Math.abs($x[i] - b))", "take the gaps between neighbours",
          "take the distances of adjacent items"),
    _list("times_index", "number_index", "[i * n for i, n in enumerate($x)]",
          "$x.map((n, i) => i * n)", "multiply each item by its index",
          "weigh the items by their positions"),
    _list("plus_index", "number_index", "[i + n for i, n in enumerate($x)]",
          "$x.map((n, i) => i + n)", "add its index to each item",
          "raise the items by their positions"),
)  # fmt: skip

_ANSWERS = (
    _answer("sum", Kind.NUMBER, "sum($x)", "$x.reduce((a, b) => a + b, 0)", "return the sum",
            "return the total"),
    _answer("largest", Kind.NUMBER, "max($x, default=0)", "Math.max(0, ...$x)",
            "return the maximum or 0", "return the largest, 0 if empty"),
    _answer("smallest", Kind.NUMBER, "min($x, default=0)", "$x.length ? Math.min(...$x) : 0",
            "return the minimum or 0", "return the smallest, 0 if empty"),
    _answer("length", Kind.NUMBER, "len($x)", "$x.length", "return the length",
            "return how many there are"),
    _answer("occurrences", Kind.NUMBER, "$x.count($k)", "$x.filter(n => n === $k).length",
            "return the count of $k", "return how often $k occurs", k=LOW),
    _answer("first", Kind.NUMBER, "$x[0] if $x else 0", "$x[0] ?? 0", "return the first or 0",
            "return the first item, 0 if empty"),
    _answer("last", Kind.NUMBER, "$x[-1] if $x else 0", "$x.at(-1) ?? 0", "return the last or 0",
            "return the last item, 0 if empty"),
    _answer("contains", Kind.TRUTH, "$k in $x", "$x.includes($k)", "return whether $k is in it",
            "return if it contains $k", k=LOW),
    _answer("all_above", Kind.TRUTH, "all(n > $k for n in $x)", "$x.every(n => n > $k)",
            "return whether all exceed $k", "return if every item is above $k", k=(1, 2, 3)),
    _answer("dashed", Kind.TEXT, '"-".join(str(n) for n in $x)', '$x.join("-")',
            "return them joined by dashes", "return a text with dashes between"),
)  # fmt: skip

OPERATIONS = (*_KEEP, *_EACH, *_LIST, *_ANSWERS)
