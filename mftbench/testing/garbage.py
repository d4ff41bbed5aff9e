"""Completions that break careless code: what models do write, and what nobody should."""

from __future__ import annotations

from collections.abc import Iterator

from mftbench.contract import Problem


def garbage(problem: Problem) -> Iterator[tuple[str, str]]:
    """Yield named completions for one problem, some of them made from its prompt and gold."""
    gold = problem.gold
    yield "the empty completion", ""
    yield "blanks", " \t\n\n \r\n"
    yield "prose", "I am sorry, but I cannot help with that."
    yield "a NUL", f"{gold}\0{gold}"
    yield "lone surrogates", f"# \ud800\udfff\n{gold}"
    yield "a byte order mark and carriage returns", "\ufeff" + gold.replace("\n", "\r\n")
    yield "200,000 lines", "x = 1\n" * 200_000
    yield "a line of a million characters", "(" * 1_000_000
    yield "deep nesting", "[" * 100_000 + "]" * 100_000
    yield "an open fence", f"```python\n{gold}"
    yield "nested fences", f"````\n```python\n{gold}\n```\n````"
    yield "crossed fences", f"```\n~~~\n{gold}\n```\n~~~\n```"
    yield "only fences", "```\n```\n~~~\n~~~\n```"
    yield "the prompt again", problem.prompt + gold
    yield "half of the gold", gold[: len(gold) // 2]
    yield "open quotes", "'''\"\"\"'\"" + gold
    yield "braces", "{prompt} {0} %s $x {{}}"
