"""How MBPP asks: the prompts of the study and of the benchmark, and the split of a function."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from mftbench.sources.mbpp_row import Row

# The solved problems that MBPP's own prompt shows (Austin et al. 2021, section 4.1).
SHOT_IDS = (2, 3, 4)


def mftcoder_prompt(row: Row, rows: Mapping[int, Row]) -> str:
    """Ask as the study's evaluation does: the description, then every assert."""
    return f"{row.text}Your code should satisfy these tests:\n" + "\n".join(row.test_list)


def standard_prompt(row: Row, rows: Mapping[int, Row]) -> str:
    """Ask as MBPP does, below three solved problems of its prompt split."""
    solved = (_standard(rows[key]) + f"{rows[key].source}[DONE]\n\n" for key in SHOT_IDS)
    return "".join(solved) + _standard(row)


PROMPTS: Mapping[str, Callable[[Row, Mapping[int, Row]], str]] = {
    "mftcoder": mftcoder_prompt,
    "standard": standard_prompt,
}
ANSWERS: Mapping[str, Callable[[Row], str]] = {
    "mftcoder": lambda row: row.source,
    "standard": lambda row: f"{row.source}[DONE]",
}


def split_function(row: Row) -> tuple[str, str] | None:
    """Split a solution after its header, the description put there as docstring, from its body.

    None where the solution is not a single function below imports, or fills its header's line.
    """
    lines = row.source.splitlines(keepends=True)
    *above, function = row.tree
    simple = all(isinstance(node, ast.Import | ast.ImportFrom) for node in above)
    if not (simple and isinstance(function, ast.FunctionDef)):
        return None
    first = function.body[0]
    if ast.get_docstring(function) or first.lineno == function.lineno:
        return None
    header, body = lines[: first.lineno - 1], lines[first.lineno - 1 :]
    indent = body[0][: first.col_offset]
    return f'{"".join(header)}{indent}"""{row.text}"""\n', "".join(body)


def _standard(row: Row) -> str:
    tests = "\n".join(row.test_list)
    return (
        f"You are an expert Python programmer, and here is your task: {row.text}"
        f" Your code should pass these tests:\n\n{tests}\n[BEGIN]\n"
    )
