"""CodeFuseEval's translation set: programs of MBPP and HumanEval in Python, Java and C++."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import PositiveInt

from mftbench.contract import Problem, Prompt, Source
from mftbench.languages import LANGUAGES, Language
from mftbench.sources.human_eval_x import CODEFUSE
from mftbench.sources.published import DataFile, First, Published
from mftbench.suites import Suite

__all__ = ["DIRECTIONS", "FILES", "Row", "ask_translation", "code_trans", "translation_prompt"]

CODE_TRANS = Published(
    name="codetrans",
    licence="Apache-2.0",
    citation=CODEFUSE.citation,
    version=CODEFUSE.version,
    notes="evaluation only: from MBPP 11-511 and HumanEval, never trained on",
)
_UPSTREAM = (
    "https://raw.githubusercontent.com/codefuse-ai/codefuse-evaluation/"
    "09a4f2af5bdc55052052c9bd0cb74d47e40198fc/codefuseEval/data/code_trans"
)
# Where another program begins: the answer is one, and a model that goes on writes a second.
STOPS = {
    "python": ("\n# Translate", "\n# Python", "\n# Java", "\nif __name__", "\nprint("),
    "java": ("\n# Translate", "\npublic class Main", "\nclass Main"),
    "cpp": ("\n# Translate", "\nint main"),
    "javascript": ("\n# Translate", "\nconsole.", "\nmodule."),
    "go": ("\n# Translate", "\nfunc main"),
    "rust": ("\n# Translate", "\nfn main", "\n#[cfg(test)]"),
}


@dataclass(frozen=True)
class Row:
    """One line: the program in one language, its translation, and tests in that language."""

    task_id: str
    prompt: str
    canonical_solution: str
    test: str
    func_title: str
    desc_en: str = ""
    Difficulty: str = ""

    @property
    def entry_points(self) -> tuple[str, ...]:
        """The function that the tests call.

        The field has its name bare, or with its signature; in some Python rows it names a helper,
        so there the functions are those that the solution defines and the tests name.
        """
        used = set(re.findall(r"\w+", self.test))
        defined = re.findall(r"^def[ \t]+(\w+)", self.canonical_solution, re.M)
        found = re.search(r"(\w+)\s*\(", self.func_title)
        title = found[1] if found else self.func_title.strip()
        return tuple(name for name in dict.fromkeys(defined) if name in used) or (title,)


_DIGESTS = {
    ("python", "java"): (650, "e7f59553cf7d1f2593fdaf4059349a4eb0724ee9c46a4b0582de1e406d228137"),
    ("java", "python"): (662, "cafc65e2cea94ce727cf3ddc1fd926a5472aaf860822880f134f51af9ae21efd"),
    ("python", "cpp"): (588, "2cddd386821c6a43bd33dc1eca44688a87f40b18cd360c15c71ddbd0d6d971b3"),
    ("cpp", "python"): (601, "b32af6276b7667895a43bb36c823942cee7deddd4f2eda76f8942a8b6c8eebd0"),
    ("java", "cpp"): (589, "4261f598b283ba588f66361af4fa9fdd0de081c8f04ec73230384bb857b7a406"),
    ("cpp", "java"): (594, "53ee34d0215c407c360e924d07d4ea69943f0d1c19f3ea55b329fc235b1b8619"),
}
DIRECTIONS = tuple(_DIGESTS)
FILES = {
    (source, target): DataFile(
        path=f"codefuse-eval/codeTrans_{source}_to_{target}.jsonl",
        kind=Row,
        sha256=sha256,
        count=count,
        upstream=f"{_UPSTREAM}/codeTrans_{source}_to_{target}.jsonl",
    )
    for (source, target), (count, sha256) in _DIGESTS.items()
}


def code_trans(source: str, target: str) -> Callable[..., Source]:
    """Make the factory of one direction."""
    language = LANGUAGES[target]
    file = FILES[source, target]

    def factory(*, problems: PositiveInt | None = None) -> Source:
        """Open one direction; ``problems`` takes only the first ones."""

        def questions() -> Iterator[Problem]:
            return (_problem(row, source, language) for row in file.rows())

        return CODE_TRANS.source(
            f"translation {source} {target}",
            (file,),
            problems=questions,
            first=First(problems=problems),
            prompt=translation_prompt(language),
        )

    return factory


def ask_translation(source: str, target: str, program: str, title: str) -> str:
    """Ask as the study's evaluation does (codefuse-evaluation, ``_get_ct_prompt``)."""
    return (
        f"# Translate the following {source} program to {target}\n# {source}\n{program}\n"
        f"# {target}\nThe result code must follow this function name :\n{title}\n"
    )


def translation_prompt(target: Language) -> Prompt:
    """Say where a translation into the language ends."""
    return Prompt(stop=STOPS[target.name], max_new_tokens=768)


def _problem(row: Row, source: str, target: Language) -> Problem:
    # Line ends of MBPP's solutions are \r\n in the file.
    program, gold = (text.replace("\r\n", "\n") for text in (row.prompt, row.canonical_solution))
    asked = ask_translation(source, target.name, program, row.func_title.strip())
    facts = Suite(row.test, row.entry_points).facts()
    return Problem(row.task_id, asked, gold, {**facts, "language": target.name})
