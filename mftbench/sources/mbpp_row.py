"""One problem of MBPP, with the line ends that Python has."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of mbpp.jsonl."""

    task_id: int
    text: str
    code: str
    test_list: tuple[str, ...]
    test_setup_code: str = ""

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
        """The function that the first test calls; the file does not name it."""
        called = (
            node.func.id
            for node in ast.walk(ast.parse(self.test_list[0]))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        )
        return next(name for name in called if not hasattr(builtins, name))
