"""How an answer is written, besides whether it passes: its length, explanation, comments.

The study observed that MFT models answer more concisely. Whatever an answer holds beside the code
that extraction finds in it counts as explanation; inside the code, whole comment lines and
docstrings count as comments. Both are shares of characters without surrounding blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from mftbench.extraction import extract
from mftbench.languages import CPP, GO, JAVA, JAVASCRIPT, PYTHON, RUST, SQL, Language

LANGUAGES = {each.name: each for each in (PYTHON, JAVASCRIPT, SQL, CPP, JAVA, GO, RUST)}
_DOCSTRING = re.compile(r'"""[\s\S]*?(?:"""|\Z)|\'\'\'[\s\S]*?(?:\'\'\'|\Z)')
_BLOCK = re.compile(r"/\*[\s\S]*?(?:\*/|\Z)")
_LINES = {PYTHON.name: "#", SQL.name: "--"}
_MARGINS = {PYTHON.name: _DOCSTRING}


@dataclass(frozen=True)
class Style:
    """One answer: new tokens, characters, those of them that are code, those of code in comments.

    ``code`` is None where a task has no programs and no code is expected.
    """

    tokens: int
    characters: int
    code: int | None
    comments: int


def measure(text: str, tokens: int, language: str) -> Style:
    """Measure an answer; ``language`` is the program's, or "" where the task runs none."""
    size = len(text.strip())
    if language not in LANGUAGES:
        return Style(tokens, size, None, 0)
    code = extract(text, LANGUAGES[language]).strip()
    return Style(tokens, size, min(len(code), size), _comments(code, LANGUAGES[language]))


@dataclass(frozen=True)
class StyleSummary:
    """Means over answers. ``explanation`` and ``comments`` are over answers that hold code."""

    answers: int
    tokens: float
    explanation: float | None
    comments: float | None


def summarise(styles: Iterable[Style]) -> StyleSummary:
    """Average the styles of some answers; shares are None where no answer holds code.

    Raises ValueError for no answers.
    """
    measured = list(styles)
    coded = [(style.code, style) for style in measured if style.code]
    return StyleSummary(
        answers=len(measured),
        tokens=fmean(style.tokens for style in measured),
        explanation=fmean(1 - code / style.characters for code, style in coded) if coded else None,
        comments=fmean(style.comments / code for code, style in coded) if coded else None,
    )


def _comments(code: str, language: Language) -> int:
    blocks = _MARGINS.get(language.name, _BLOCK)
    rest = blocks.sub("", code)
    mark = _LINES.get(language.name, "//")
    lines = (line.strip() for line in rest.split("\n"))
    return min(len(code), len(code) - len(rest) + sum(len(x) for x in lines if x.startswith(mark)))
