"""One problem of MBPP, with the line ends that Python has."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass

from mftbench.errors import UsageError


@dataclass(frozen=True)
class Row:
    """One line of mbpp.jsonl."""

    task_id: int
    text: str
    code: str
    test_list: tuple[str, ...]
    test_setup_code: str = ""
    challenge_test_list: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        r"""The solution with ``\n`` line ends; nearly all of the file's have ``\r\n``."""
        return self.code.replace("\r\n", "\n").rstrip() + "\n"

    @property
    def setup(self) -> str:
        r"""The setup code of the tests, with ``\n`` line ends."""
        return self.test_setup_code.replace("\r\n", "\n")

    @property
    def entry_point(self) -> str:
        """The function of the solution that the tests call; the file does not name it.

        Raises UsageError if there is none.
        """
        defined = {node.name for node in self.tree if isinstance(node, ast.FunctionDef)}
        used = {node.id for test in self.test_list for node in _names(test)}
        if len(defined & used) != 1:
            raise UsageError(f"MBPP problem {self.task_id}: the tests call no one function of it")
        return (defined & used).pop()

    @property
    def tree(self) -> list[ast.stmt]:
        """The solution's statements.

        Raises UsageError if it does not parse.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in the data set's own strings
            try:
                return ast.parse(self.source).body
            except (SyntaxError, ValueError) as error:
                raise UsageError(f"MBPP problem {self.task_id}: code: {error}") from error


def _names(test: str) -> list[ast.Name]:
    return [node for node in ast.walk(ast.parse(test)) if isinstance(node, ast.Name)]
