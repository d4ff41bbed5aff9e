"""HumanEval-X as translation: a solution in one language to the same function in another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

from pydantic import PositiveInt

from mftbench.contract import Problem, Source
from mftbench.sources.code_trans import ask_translation, translation_prompt
from mftbench.sources.human_eval_x import HUMAN_EVAL_X, SHORT, X_FILES, problem
from mftbench.sources.published import First

__all__ = ["PAIRS", "human_eval_x_pair"]

PAIRS = tuple(permutations(X_FILES, 2))


def human_eval_x_pair(source: str, target: str) -> Callable[..., Source]:
    """Make the factory of one direction; languages by their short names."""
    files = (X_FILES[source], X_FILES[target])
    language = SHORT[target]

    def factory(*, problems: PositiveInt | None = None) -> Source:
        """Open one direction; ``problems`` takes only the first ones."""

        def questions() -> Iterator[Problem]:
            given = {row.number: row for row in files[0].rows()}
            for row in files[1].rows():
                asked = ask_translation(
                    SHORT[source].name,
                    language.name,
                    given[row.number].program.rstrip(),
                    row.declaration.strip(),
                )
                yield problem(row, language, asked, row.program)

        return HUMAN_EVAL_X.source(
            f"translation {source} {target}",
            files,
            problems=questions,
            first=First(problems=problems),
            prompt=translation_prompt(language),
        )

    return factory
