"""The starter suite as a source: a task says how an item is asked, answered and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pydantic import JsonValue, NonNegativeInt, PositiveInt

from mftbench.contract import Example, Problem, Source
from mftbench.starter.suite import VERSION, ProgramItem, QueryItem, programs, queries

__all__ = ["starter_programs", "starter_queries"]

Item = TypeVar("Item", ProgramItem, QueryItem)
Split = Literal["train", "test"]


@dataclass(frozen=True)
class _Rendering(Generic[Item]):
    """How one task shows the suite's items. ``items`` yields a split's first ``count`` ones."""

    task: str
    items: Callable[[Split, int, int, int], Iterator[Item]]
    ask: Callable[[Item], str]
    answer: Callable[[Item], str]
    facts: Callable[[Item], Mapping[str, JsonValue]]

    def source(
        self,
        *,
        train: NonNegativeInt = 2000,
        problems: PositiveInt = 120,
        difficulty: PositiveInt = 2,
        seed: NonNegativeInt = 1,
    ) -> Source:
        """Open the starter suite: how many rows of either split, how hard, from which seed."""

        def examples() -> Iterator[Example]:
            for item in self.items("train", train, difficulty, seed):
                yield Example(item.id, self.ask(item), self.answer(item))

        def questions() -> Iterator[Problem]:
            for item in self.items("test", problems, difficulty, seed):
                yield Problem(item.id, self.ask(item), self.answer(item), self.facts(item))

        options = f"train={train} problems={problems} difficulty={difficulty} seed={seed}"
        return Source(
            name="starter",
            licence="Apache-2.0",
            citation="the mftbench starter suite",
            train=examples,
            problems=questions,
            fingerprint=lambda: f"starter {VERSION} {self.task} {options}",
            synthetic=True,
            notes="generated; the test split holds out compositions of operations",
        )


def starter_programs(
    task: str,
    *,
    ask: Callable[[ProgramItem], str],
    answer: Callable[[ProgramItem], str],
    facts: Callable[[ProgramItem], Mapping[str, JsonValue]],
) -> Callable[..., Source]:
    """Make the factory of a source of small programs; each task gets programs of its own."""

    def items(split: Split, count: int, difficulty: int, seed: int) -> Iterator[ProgramItem]:
        return programs(split, count, difficulty=difficulty, seed=seed, task=task)

    return _Rendering(task, items, ask, answer, facts).source


def starter_queries(
    task: str,
    *,
    ask: Callable[[QueryItem], str],
    answer: Callable[[QueryItem], str],
    facts: Callable[[QueryItem], Mapping[str, JsonValue]],
) -> Callable[..., Source]:
    """Make the factory of a source of questions to generated tables."""

    def items(split: Split, count: int, difficulty: int, seed: int) -> Iterator[QueryItem]:
        return queries(split, count, difficulty=difficulty, seed=seed)

    return _Rendering(task, items, ask, answer, facts).source
