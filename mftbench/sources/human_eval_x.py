"""HumanEval in six languages: HumanEval-X (Zheng et al. 2023), and CodeFuseEval's edition of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import PositiveInt

from mftbench.contract import Problem, Prompt, Source
from mftbench.languages import LANGUAGES, Language
from mftbench.sources.published import DataFile, First, Hub, Published
from mftbench.sources.study_prompts import Asking, study_prompt
from mftbench.suites import Suite

__all__ = [
    "CODEFUSE",
    "HUMAN_EVAL_X",
    "SHORT",
    "X_FILES",
    "Row",
    "codefuse",
    "human_eval_x",
    "human_eval_x_comment",
]

# The languages by their short names in the data sets' file names.
SHORT = {
    "python": LANGUAGES["python"],
    "java": LANGUAGES["java"],
    "cpp": LANGUAGES["cpp"],
    "js": LANGUAGES["javascript"],
    "go": LANGUAGES["go"],
    "rust": LANGUAGES["rust"],
}
# Where another top-level item begins, by CodeGeeX's clean-up and the HumanEval paper's stops.
STOPS = {
    "python": ("\nclass", "\ndef", "\n#", "\nif", "\nprint"),
    "java": ("\npublic class", "\nclass ", "\nimport "),
    "cpp": ("\nint main", "\n#include", "\n/*"),
    "javascript": ("\nconsole.", "\nmodule.", "\n/*"),
    "go": ("\nfunc main", "\npackage ", "\n//", "\n/*"),
    "rust": ("\nfn main", "\n#[cfg(test)]", "\n/*"),
}

_HEADER = re.compile(r"[A-Za-z].*[({=]|\s+public ")
# Where a description turns to examples and conditions.
_EXAMPLES = re.compile(
    r">>>|\n\s*(?:[Ee]xamples?|[Ff]or example|e\.g\.|Note|Input|\[input\]|\w+\(.*\) *(?:==|=>|=|➞))"
)
_NAME = re.compile(r"(?:const|let|var)\s+(\w+)\s*=|(\w+)\s*(?:<[^<>]*>)?\(")


@dataclass(frozen=True)
class Row:
    """One line of either edition. Go keeps its imports at the head of the prompt."""

    task_id: str
    prompt: str
    declaration: str
    canonical_solution: str
    test: str
    text: str = ""
    docstring: str = ""
    prompt_text: str = ""

    def asked(self, language: Language) -> str:
        """Give the prompt with the function's header, which HumanEval-X keeps apart for Rust."""
        if language.defined(self.prompt, self.entry_point):
            return _line_ended(self.prompt)
        return _line_ended(self.prompt.lstrip("\n") + self.declaration.lstrip("\n"))

    @property
    def entry_point(self) -> str:
        """The function under test, from the last header of its declaration."""
        headers = (line for line in self.declaration.splitlines() if _HEADER.match(line))
        found = _NAME.search([*headers][-1])
        return (found[1] or found[2]) if found else ""

    @property
    def sentence(self) -> str:
        """What the function does, in one line and without its examples."""
        words = _EXAMPLES.split(self.text, maxsplit=1)[0].split()
        return " ".join(words)

    @property
    def program(self) -> str:
        """The whole solution without its description."""
        return self.declaration.lstrip("\n") + self.canonical_solution

    @property
    def number(self) -> int:
        """HumanEval's number of the problem."""
        return int(self.task_id.partition("/")[2])


HUMAN_EVAL_X = Published(
    name="humanevalx",
    licence="Apache-2.0",
    citation="Zheng et al. 2023, arXiv 2303.17568",
    version="THUDM/CodeGeeX 2838420",
    notes="evaluation only: HumanEval in other languages; not independent of it",
)
CODEFUSE = Published(
    name="codefuse",
    licence="Apache-2.0",
    citation="CodeFuseEval, github.com/codefuse-ai/codefuse-evaluation",
    version="codefuse-ai/codefuse-evaluation 09a4f2a",
    notes="evaluation only: the study's own edition of HumanEval-X; the same problems and tests",
)
_X = "https://raw.githubusercontent.com/THUDM/CodeGeeX/2838420b7b4492cf3d16bce5320e26e65960c9e2"
_CODEFUSE = (
    "https://raw.githubusercontent.com/codefuse-ai/codefuse-evaluation/"
    "09a4f2af5bdc55052052c9bd0cb74d47e40198fc/codefuseEval/data/code_completion"
)
_X_DIGESTS = {
    "python": "5752fb122efddb0e9b47c77907ae6ce9a15aac4dea14e44c46032c831e6b987a",
    "java": "276f36db2eb7aeb864f36a19a2f4e1bb2460fb6e22ff100f0b5bedabe3799967",
    "cpp": "dcf2e280a1e91bbc3c5f90edb41397e8a9ac1ccc9f5d2b70082f0b0fbfb6dbb0",
    "js": "fe5d467f2c1a027b3f6f18d3729aca01f6458c1de2e2d1292a019c5aa9bed424",
    "go": "09126ef64ac68f87296c5f3781186aedc5dec799b114d9df99d6de4a715a7830",
    "rust": "ae5cabbbfc8fe25244a608b04f09ac3b324c645ac969dfc033756c12f0f9924c",
}
_CODEFUSE_DIGESTS = {
    "python": "cbe441124e2c052c2b4fc29e7d1ecc668f4bea24699ce806e95bf2373ff320cf",
    "python_cn": "745f285f60929fdc6f26bd3ca5b1eeb1d8be1cc1b4cfa9b8587c8b9242b0afe3",
    "java": "8588788636b11d467f58e273ba5cb6438caa3461e15877a37a32a965fb704f60",
    "cpp": "d747ff9e486c09586fa7bd6b9d6ec9216e0ac2ad9c7e0def7233c19872fcf199",
    "js": "f0f250d4bf3b9d740df6f13ae57e561f3db17fe3f4af52fe0180d9a3226392d6",
    "go": "8ff61cd621bc0929e4fd8124b71e6fbb4c5bc169baadebc8db65e9ad6e9a0ad4",
    "rust": "c25a355fa58e35aaa773a01564c0e2c70f120611b702f010e65874eced21945e",
}
X_FILES = {
    short: DataFile(
        path=f"humaneval-x/humaneval_{short}.jsonl.gz",
        kind=Row,
        sha256=sha256,
        count=164,
        upstream=f"{_X}/codegeex/benchmark/humaneval-x/{short}/data/humaneval_{short}.jsonl.gz",
        hub=Hub("zai-org/humaneval-x", config=short) if short != "rust" else None,
    )
    for short, sha256 in _X_DIGESTS.items()
}
CODEFUSE_FILES = {
    short: DataFile(
        path=f"codefuse-eval/humaneval_{short}.jsonl",
        kind=Row,
        sha256=sha256,
        count=164,
        upstream=f"{_CODEFUSE}/humaneval_{short}.jsonl",
    )
    for short, sha256 in _CODEFUSE_DIGESTS.items()
}


def human_eval_x(short: str) -> Callable[..., Source]:
    """Make the factory of HumanEval-X in one language, as completion."""
    return _completion(HUMAN_EVAL_X, X_FILES[short], short)


def codefuse(short: str) -> Callable[..., Source]:
    """Make the factory of CodeFuseEval's completion in one language ("python_cn": Chinese)."""
    return _completion(CODEFUSE, CODEFUSE_FILES[short], short)


def human_eval_x_comment(short: str) -> Callable[..., Source]:
    """Make the factory of one language of HumanEval-X as comment: a solution to its description."""
    file = X_FILES[short]

    def factory(*, problems: PositiveInt | None = None) -> Source:
        """Open one language; ``problems`` takes only the first ones."""

        def questions() -> Iterator[Problem]:
            texts = {row.number: row.sentence for row in X_FILES["python"].rows()}
            for row in file.rows():
                yield Problem(row.task_id, row.program.rstrip(), texts[row.number])

        return HUMAN_EVAL_X.source(
            f"comment {short}",
            (file, X_FILES["python"]),
            problems=questions,
            first=First(problems=problems),
        )

    return factory


def problem(row: Row, language: Language, prompt: str, gold: str) -> Problem:
    """Ask for a row's function in its language; the row's own tests judge the answer."""
    above = _helpers(row, language)
    facts = Suite(f"{above}\n{row.test}\n" if above else row.test, (row.entry_point,)).facts()
    return Problem(row.task_id, prompt, gold, {**facts, "language": language.name})


def _helpers(row: Row, language: Language) -> str:
    # Python's suite runs apart from the prompt, and three of them call a helper of it.
    entry = None if language.braces else language.defined(row.prompt, row.entry_point)
    return row.prompt[: entry.start()] if entry else ""


def _completion(about: Published, file: DataFile[Row], short: str) -> Callable[..., Source]:
    language = SHORT[short.removesuffix("_cn")]

    def factory(*, prompt: Asking = "standard", problems: PositiveInt | None = None) -> Source:
        """Open one language; ``prompt`` is its own or the study's.

        ``problems`` takes only the first ones.
        """
        own = Prompt(stop=STOPS[language.name], max_new_tokens=512)

        def questions() -> Iterator[Problem]:
            return (
                problem(row, language, row.asked(language), row.canonical_solution)
                for row in file.rows()
            )

        return about.source(
            f"completion {short}",
            (file,),
            problems=questions,
            first=First(problems=problems),
            prompt=study_prompt(language) if prompt == "mftcoder" else own,
        )

    return factory


def _line_ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"
