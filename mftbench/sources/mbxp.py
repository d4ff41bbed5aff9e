"""MBXP (Athiwaratkun et al. 2023): MBPP's problems in Python, Java, C++ and JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

from pydantic import NonNegativeInt

from mftbench.canonical import digest
from mftbench.contract import Example, Prompt, Source
from mftbench.languages import LANGUAGES
from mftbench.sources.code_trans import ask_translation
from mftbench.sources.mbpp import TRAIN_IDS
from mftbench.sources.mbxp_broken import BROKEN
from mftbench.sources.published import DataFile, First, Hub, Published

__all__ = ["FILES", "MBXP", "Row", "mbxp_completion", "mbxp_translation", "solved"]

MBXP = Published(
    name="mbxp",
    licence="CC-BY-4.0",
    citation="Athiwaratkun et al. 2023, arXiv 2210.14868",
    version="amazon-science/mxeval e09974f, releases v1 and v1.2",
    notes="training ids 601-974 less MBPP's 20 and the solutions that fail their own tests; 11-511"
    " are the source of CodeFuseEval's translation, so nothing of them is used",
)
_UPSTREAM = (
    "https://raw.githubusercontent.com/amazon-science/mxeval/"
    "e09974f990eeaf0c0e8f2b5eaff4be66effb2c86/data/mbxp"
)
_DOCUMENTED = re.compile(r'[ \t]*(?:"""[\s\S]*?"""|/\*\*[\s\S]*?\*/)[ \t]*\n')


@dataclass(frozen=True)
class Row:
    """One line of any language; where nobody solved a problem there is no solution."""

    task_id: str
    prompt: str
    entry_point: str
    test: str
    description: str
    language: str
    canonical_solution: str | None = None

    @property
    def number(self) -> int:
        """MBPP's number of the problem."""
        return int(self.task_id.partition("/")[2])

    @property
    def program(self) -> str:
        """The whole program with its description."""
        return f"{self.prompt.lstrip()}{(self.canonical_solution or '').rstrip()}\n"

    @property
    def bare(self) -> str:
        """The whole program without its description."""
        header = _DOCUMENTED.sub("", self.prompt, count=1).lstrip()
        return f"{header}{(self.canonical_solution or '').rstrip()}\n"


_FILES = {
    "python": (
        974,
        "mbpp_release_v1.jsonl",
        "2ea7949f20ed5ecaacf4c9970d29430ec3f13772f4dd379665b1234f14b0ec3e",
    ),
    "java": (
        966,
        "mbjp_release_v1.2.jsonl",
        "139a0fcdff2f4c6d456c546c82f43a1f389dfe3125f5f2c3f6a12f478483dffd",
    ),
    "cpp": (
        848,
        "mbcpp_release_v1.2.jsonl",
        "34a842515927e230eb2bd6e409a44c80a852b0afcbe1172786bd08cfef8b85b0",
    ),
    "javascript": (
        966,
        "mbjsp_release_v1.2.jsonl",
        "9e443a1911bcedd8b5193f43d3217666fbf669cd00d54265941a8eb17e396f5a",
    ),
}
FILES = {
    language: DataFile(
        path=f"mbxp/{name}",
        kind=Row,
        sha256=sha256,
        count=count,
        upstream=f"{_UPSTREAM}/{name}",
        hub=Hub("mxeval/mbxp", config=language) if language != "cpp" else None,
    )
    for language, (count, name, sha256) in _FILES.items()
}


def mbxp_completion(language: str) -> Callable[..., Source]:
    """Make the factory of one language's training rows: header and description to body."""

    def factory(*, train: NonNegativeInt | None = None) -> Source:
        """Open one language; ``train`` takes only the first rows."""

        def examples() -> Iterator[Example]:
            return (
                Example(row.task_id, row.prompt.lstrip(), f"{row.canonical_solution}\n")
                for row in solved(language).values()
            )

        return MBXP.source(
            f"completion {language} without {digest(sorted(BROKEN[language]))}",
            (FILES[language],),
            train=examples,
            first=First(train=train),
        )

    return factory


def mbxp_translation(*, train: NonNegativeInt | None = None) -> Source:
    """Open all pairs of two languages that both solve a problem; ``train`` takes the first rows.

    Rows are ordered by problem, so that the first ones cover every direction.
    """

    def examples() -> Iterator[Example]:
        languages = {language: solved(language) for language in FILES}
        for number in sorted(TRAIN_IDS):
            for source, target in permutations(languages, 2):
                if number in languages[source] and number in languages[target]:
                    yield _pair(number, languages[source][number], languages[target][number])

    left_out = {language: sorted(numbers) for language, numbers in BROKEN.items()}
    return MBXP.source(
        f"translation without {digest(left_out)}",
        tuple(FILES.values()),
        train=examples,
        first=First(train=train),
        prompt=Prompt(),  # the request names the target, as in evaluation
    )


def solved(language: str) -> Mapping[int, Row]:
    """Give a language's training rows with a solution that passes its own tests, by number."""
    return {
        row.number: row
        for row in FILES[language].rows()
        if row.number in TRAIN_IDS - BROKEN[language] and row.canonical_solution is not None
    }


def _pair(number: int, source: Row, target: Row) -> Example:
    asked = ask_translation(
        LANGUAGES[source.language].name,
        LANGUAGES[target.language].name,
        source.bare.rstrip(),
        target.entry_point,
    )
    return Example(f"MBXP/{number}/{source.language}-{target.language}", asked, target.bare)
