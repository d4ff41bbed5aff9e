"""Mutants of Python source: one operator, constant or result changed in place, by position.

A mutant is named by where it changes what, so that a list of names means the same mutants under
every Python version. The operators are those of Offutt et al. 1996 that fit one expression.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Mutant", "mutants"]

_SWAPS: Mapping[str, str] = {
    **{"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="},
    **{"in": "not in", "not in": "in", "is": "is not", "is not": "is"},
    **{"+": "-", "-": "+", "*": "+", "/": "*", "//": "*", "%": "*", "**": "*"},
    **{"&": "|", "|": "&", "^": "&", "<<": ">>", ">>": "<<"},
    **{"and": "or", "or": "and"},
}
_OPERATOR = re.compile(r"not\s+in|is\s+not|\b(?:in|is|and|or)\b|[<>=!]=|\*\*|//|<<|>>|[-+*/%&|^<>]")
_COMMENT = re.compile(r"#[^\n]*")


@dataclass(frozen=True)
class Mutant:
    """A changed program. ``name`` is ``line:column kind``, without a word of the program."""

    name: str
    source: str


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    new: str
    kind: str


def mutants(source: str) -> list[Mutant]:
    """Give every mutant of a program that parses, in the order of the places changed.

    Raises SyntaxError for a program that does not parse.
    """
    text = _Text(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in a data set's own strings
        tree = ast.parse(source)
    edits = {edit for node in _walk(tree) for edit in _edits(node, text)}
    made = [text.mutant(edit) for edit in sorted(edits, key=lambda each: (each.start, each.kind))]
    return [mutant for mutant in made if mutant.source != source]


class _Text:
    """Source with positions as the parser counts them: lines, and columns in UTF-8 bytes."""

    def __init__(self, source: str) -> None:
        self.bytes = source.encode()
        self.starts = [0]
        for line in self.bytes.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column

    def span(self, node: ast.expr) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.at(node.lineno, node.col_offset)
        return start, self.at(node.end_lineno, node.end_col_offset)

    def mutant(self, edit: _Edit) -> Mutant:
        line = max(number for number, start in enumerate(self.starts) if start <= edit.start)
        changed = self.bytes[: edit.start] + edit.new.encode() + self.bytes[edit.end :]
        place = f"{line + 1}:{edit.start - self.starts[line]}"
        return Mutant(f"{place} {edit.kind}", changed.decode())


def _walk(tree: ast.Module) -> Iterator[ast.AST]:
    """Walk all nodes but docstrings and what is inside of formatted strings."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr):
            continue
        yield node
        for child in ast.iter_child_nodes(node):
            if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
                waiting.append(child)


def _edits(node: ast.AST, text: _Text) -> Iterator[_Edit]:
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for left, right in pairwise(operands):
            yield from _swap(left, right, text)
    elif isinstance(node, ast.BinOp):
        yield from _swap(node.left, node.right, text)
    elif isinstance(node, ast.BoolOp):
        for left, right in pairwise(node.values):
            yield from _swap(left, right, text)
    elif isinstance(node, ast.AugAssign):
        yield from _swap(node.target, node.value, text)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        start, _ = text.span(node)
        yield _Edit(start, start + len("not"), "not not", "not")
    elif isinstance(node, ast.Constant):
        yield from _constant(node, text)
    elif isinstance(node, ast.Return) and node.value is not None:
        yield _Edit(*text.span(node.value), "None", "return")


def _swap(left: ast.expr, right: ast.expr, text: _Text) -> Iterator[_Edit]:
    """Change the operator that stands between two operands."""
    start, end = text.span(left)[1], text.span(right)[0]
    between = _COMMENT.sub(lambda found: " " * len(found[0]), text.bytes[start:end].decode())
    found = _OPERATOR.search(between)
    if found and between.isascii():
        new = _SWAPS[" ".join(found[0].split())]
        yield _Edit(start + found.start(), start + found.end(), new, new)


def _constant(node: ast.Constant, text: _Text) -> Iterator[_Edit]:
    if isinstance(node.value, bool):
        yield _Edit(*text.span(node), str(not node.value), "constant")
    elif isinstance(node.value, int | float):
        yield _Edit(*text.span(node), repr(node.value + 1), "constant")
    elif isinstance(node.value, str) and node.value:
        yield _Edit(*text.span(node), '""', "constant")
