"""The grammar of small programs: typed operations, and compositions split by structure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache, cached_property
from typing import Literal

from pydantic import JsonValue

Split = Literal["train", "test"]
HELD_OUT = 3  # one composition in so many belongs to the test split


class Kind(Enum):
    """What flows between two operations, with its Python type."""

    NUMBERS = "list[int]"
    WORDS = "list[str]"
    TEXT = "str"
    NUMBER = "int"
    COUNTS = "dict[str, int]"
    TRUTH = "bool"


@dataclass(frozen=True)
class Operation:
    """One step of a program in every rendering.

    ``python`` and ``javascript`` are expressions in which ``$x`` stands for the incoming value and
    ``$k`` for the constant, one of ``constants``; ``phrases`` say the same in English. Operations
    of one ``family`` are easily mistaken for each other, which is what mutants do. The Python
    expression is the meaning: expected values are computed by it.
    """

    name: str
    family: str
    takes: Kind
    gives: Kind
    python: str
    javascript: str
    phrases: tuple[str, ...]
    constants: tuple[int | str, ...] = ()
    answers: bool = False


@dataclass(frozen=True)
class Stage:
    """An operation with its constant ("" where it has none)."""

    operation: Operation
    constant: int | str = ""

    def fill(self, template: str, value: str) -> str:
        """Put the incoming value's name and the constant into a template."""
        return template.replace("$x", value).replace("$k", str(self.constant))

    @cached_property
    def function(self) -> Callable[[JsonValue], JsonValue]:
        """Give what the stage does to a value: its Python expression, compiled."""
        return _compiled(self.fill(self.operation.python, "x"))


@dataclass(frozen=True)
class Composition:
    """A source kind and the stages that its value goes through."""

    source: Kind
    stages: tuple[Stage, ...]

    @property
    def result(self) -> Kind:
        """Say what comes out of the last stage."""
        return self.stages[-1].operation.gives

    @property
    def structure(self) -> str:
        """Name the composition without its constants: what the splits hold out."""
        return ">".join((self.source.name, *(stage.operation.name for stage in self.stages)))

    @property
    def key(self) -> tuple[object, ...]:
        """Identify the composition with its constants."""
        return (self.structure, *(stage.constant for stage in self.stages))


def split_of(structure: str) -> Split:
    """Assign a structure to its split by digest, the same for every seed, task and name."""
    digest = hashlib.sha256(structure.encode()).digest()
    return "test" if digest[0] % HELD_OUT == 0 else "train"


@cache
def _compiled(expression: str) -> Callable[[JsonValue], JsonValue]:
    return eval(f"lambda x: {expression}")  # type: ignore[no-any-return]  # our own table's text
