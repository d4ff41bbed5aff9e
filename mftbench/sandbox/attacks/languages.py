"""The same attacks in every language whose suites share a process with the candidate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mftbench.contract import Outcome
from mftbench.sandbox.attacks.attack import Attack, attack
from mftbench.sandbox.attacks.compiling import COMPILING
from mftbench.sandbox.attacks.sources import SOURCES, Language

SUITES: Mapping[str, str] = {name: language.suite for name, language in SOURCES.items()}

_BODIES: Mapping[str, tuple[Outcome, ...]] = {
    "right": (Outcome.PASSED,),
    "wrong": (Outcome.FAILED,),
    "V4-exit-in-call": (Outcome.EARLY_EXIT, Outcome.ERROR),  # Go calls it a panic
    "V11-printed-marker": (Outcome.FAILED,),
    "R2-memory": (Outcome.OUT_OF_MEMORY,),
    "R5-output": (Outcome.OUTPUT_LIMIT,),
    "R6-legitimate-output": (Outcome.PASSED,),
    "R7-recursion": (Outcome.ERROR, Outcome.OUT_OF_MEMORY, Outcome.TIMEOUT),  # Go: a huge stack
    "R8-infinite-loop": (Outcome.TIMEOUT,),
    "E1-bytes-that-are-no-text": (Outcome.PASSED,),
}
"""What a function's body does, and the outcomes that are right for it."""

_WHOLES: Mapping[str, tuple[Outcome, ...]] = {
    "V4-exit-before": (Outcome.EARLY_EXIT, Outcome.NO_TESTS),
    "V10-hides-the-suite": (Outcome.COMPILE_ERROR, Outcome.NO_TESTS, Outcome.FAILED),
    "V10-dangling-attribute": (Outcome.NO_TESTS,),
    "V10-spliced-line": (Outcome.COMPILE_ERROR,),
    "V10-open-comment": (Outcome.COMPILE_ERROR,),
    "V22-reads-the-message": (Outcome.FAILED,),
}
"""What a whole program does, and the outcomes that are right for it; some are one language's."""


def _attacks(name: str, language: Language) -> Iterator[Attack]:
    for what, expected in _BODIES.items():
        source = language.function(language.bodies[what])
        yield attack(f"{what}-{name}", source, *expected, kind=name)
    for what, source in language.wholes.items():
        yield attack(f"{what}-{name}", source, *_WHOLES[what], kind=name)
    right = language.function(language.bodies["right"])
    yield attack(f"syntax-error-{name}", right + "\n}{", Outcome.COMPILE_ERROR, kind=name)
    # A NUL in a comment is refused by some compilers and skipped by others; both are right.
    yield attack(
        f"E3-nul-{name}", right + "\n//\0\n", Outcome.COMPILE_ERROR, Outcome.PASSED, kind=name
    )


LANGUAGES: tuple[Attack, ...] = (
    *(each for name, language in SOURCES.items() for each in _attacks(name, language)),
    *COMPILING,
)
