"""LeetCodeDataset (Xia et al. 2025, arXiv 2504.14655), training split, as four kinds of rows."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import NonNegativeInt

from mftbench.contract import Example, Prompt, Source
from mftbench.sources.published import DataFile, First, Hub, Published
from mftbench.sources.test_subjects import PROMPT

__all__ = [
    "FILE",
    "LEETCODE",
    "Row",
    "leetcode_comment",
    "leetcode_completion",
    "leetcode_tests",
    "leetcode_text",
]

# What only the data set's preamble defines; without it such tests mean nothing.
_PREAMBLE_NAMES = re.compile(r"\b(?:list_node|tree_node|is_same_list|is_same_tree)\b")
_ASK = "Please complete the following python code precisely:"
# Long enough to say what is wanted, short enough for a docstring.
_LONGEST = 400


@dataclass(frozen=True)
class Row:
    """One line: a problem in words, its solution as a class, and asserts on a ``candidate``."""

    task_id: str
    completion: str
    entry_point: str
    test: str
    query: str

    @property
    def asked(self) -> str:
        """The problem and the header to complete, with plain spaces."""
        return self.query.replace("\xa0", " ")

    @property
    def first_paragraph(self) -> str:
        """What the problem wants, in its first lines."""
        statement = self.asked.partition(_ASK)[0].strip()
        return " ".join(statement.partition("\n")[0].split())[:_LONGEST]

    @property
    def asserts(self) -> tuple[str, ...]:
        """The tests as asserts on the solution itself; none where they need the preamble."""
        lines = (line.strip() for line in self.test.splitlines())
        calls = tuple(line for line in lines if line.startswith("assert candidate("))
        if not calls or _PREAMBLE_NAMES.search(self.test):
            return ()
        return tuple(call.replace("candidate(", f"{self.entry_point}(", 1) for call in calls)

    def halves(self) -> tuple[str, str] | None:
        """Split the solution after the header of its last method; None if it has others below."""
        solution = ast.parse(self.completion).body[-1]
        method = solution.body[-1] if isinstance(solution, ast.ClassDef) else None
        name = self.entry_point.rpartition(".")[2]
        if not isinstance(method, ast.FunctionDef) or method.name != name:
            return None
        first = method.body[0]
        if ast.get_docstring(method) or first.lineno == method.lineno:
            return None
        lines = self.completion.splitlines(keepends=True)
        header, body = lines[: first.lineno - 1], lines[first.lineno - 1 :]
        indent = body[0][: first.col_offset]
        return f'{"".join(header)}{indent}"""{self.first_paragraph}"""\n', "".join(body)


LEETCODE = Published(
    name="leetcode",
    licence="MIT",
    citation="Xia et al. 2025, arXiv 2504.14655",
    version="newfacade/LeetCodeDataset 182cd19, v0.2.0 train",
    notes="training only; not screened upstream: some answers share common idioms with evaluation"
    " sets, see 'mftbench data check'",
)
FILE = DataFile(
    path="leetcodedataset/LeetCodeDataset-v0.2.0-train.jsonl.gz",
    kind=Row,
    sha256="7c3e4221572920a9e6c822083a327d2238ea70b5b3ba18459bee6855ef93e2c7",
    count=1890,
    upstream="https://raw.githubusercontent.com/newfacade/LeetCodeDataset/"
    "182cd19fd53161efd70a1ef074fe1056b659bfa3/data/LeetCodeDataset-v0.2.0-train.jsonl.gz",
    hub=Hub("newfacade/LeetCodeDataset", splits=("train",)),
)


def leetcode_completion(*, train: NonNegativeInt | None = None) -> Source:
    """Open it as completion: class, method header and docstring to the method's body."""
    return _source("completion", _completion, train)


def leetcode_text(*, train: NonNegativeInt | None = None) -> Source:
    """Open it as text-to-code: the problem and a header to the class."""
    return _source("text", lambda row: Example(_id(row), row.asked, row.completion), train)


def leetcode_tests(*, train: NonNegativeInt | None = None) -> Source:
    """Open it as test generation: the class to its asserts."""
    return _source("tests", _tests, train, PROMPT)


def leetcode_comment(*, train: NonNegativeInt | None = None) -> Source:
    """Open it as comment: the class to the first sentences of its problem."""
    return _source(
        "comment",
        lambda row: Example(_id(row), row.completion.rstrip(), row.first_paragraph),
        train,
    )


def _completion(row: Row) -> Example | None:
    halves = row.halves()
    return halves and Example(_id(row), *halves)


def _tests(row: Row) -> Example | None:
    if not row.asserts:
        return None
    return Example(_id(row), row.completion.rstrip(), "\n".join(row.asserts) + "\n")


def _source(
    form: str,
    show: Callable[[Row], Example | None],
    train: int | None,
    prompt: Prompt | None = None,
) -> Source:
    def examples() -> Iterator[Example]:
        return filter(None, map(show, FILE.rows()))

    return LEETCODE.source(form, (FILE,), train=examples, first=First(train=train), prompt=prompt)


def _id(row: Row) -> str:
    return f"LeetCode/{row.task_id}"
