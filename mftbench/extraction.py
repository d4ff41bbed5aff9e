r"""Find the code in a completion, by a documented rule that is linear in its length.

The rule, for ``extract``; it never raises:

1. Line ends become ``\n`` and a byte order mark is dropped. Nothing else is changed: tabs, NULs and
   lone surrogates are the program's own affair.
2. A fence opens with three or more backticks or tildes at any indentation, which is taken off its
   lines. It closes with as many or more of the same sign, alone on a line; so a longer fence may
   hold a shorter one. A fence that is never closed ends with the text.
3. Of the blocks in the wanted language (or, failing that, without a language) it is the last one
   that defines the wanted name, else the first. Blocks in other languages do not count.
4. A text that begins with code and then meets a bare fence ends there: the fence closes one that
   the prompt had opened.
5. Without any fence, code begins at the first line that looks like code and ends before the first
   line at the margin that looks like prose. If no line looks like code, there is none.

No parser is used on purpose: Python's own can exhaust the host's stack on what a model wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["JAVASCRIPT", "PYTHON", "SQL", "Block", "Language", "blocks", "extract", "splice"]

_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})[ \t]*([^`]*)$")
_PROSE = re.compile(r"(?:[A-Z][a-z']*,? +[\w'`]|[A-Z][\w ]*:\s*$|[*-] |\d+\. |#{2,} )")
_TRIPLE_QUOTE = re.compile(r'"""|\'\'\'')

# Lines are judged by their beginning, so that no pattern can be made to backtrack over a huge one.
_HEAD = 200


@dataclass(frozen=True)
class Language:
    """What extraction must know of a language: its labels, how code lines begin, definitions.

    ``definition`` is a pattern with the field ``{name}``.
    """

    labels: tuple[str, ...]
    start: re.Pattern[str]
    definition: str

    def begins(self, line: str) -> bool:
        """Say whether a line looks like code."""
        return self.start.match(line[:_HEAD]) is not None

    def defined(self, code: str, name: str) -> re.Match[str] | None:
        """Find the line that defines the name."""
        return re.search(self.definition.replace("{name}", re.escape(name)), code, re.M)


PYTHON = Language(
    labels=("python", "py", "python3", "py3"),
    start=re.compile(
        r"""\s*(?:(?:async\s+)?def\s+\w|class\s+\w|@\w|import\s+\w[\w., ]*$|from\s+[\w.]+\s+import\b
        |(?:if|for|while|with|try|match)\b.*:\s*(?:\#.*)?$|(?:return|raise|assert|del|yield)\b
        |pass\s*$|\w[\w.\[\],'"]*\s*(?:[-+*/%|&^]|//|\*\*)?=[^=]|\w+\s*:\s*\w.*=|[\w.]+\(
        |\#|\"\"\"|''')""",
        re.X,
    ),
    definition=r"^(?:async[ \t]+)?def[ \t]+{name}\b|^{name}[ \t]*=[^=]",
)

JAVASCRIPT = Language(
    labels=("javascript", "js", "node", "jsx"),
    start=re.compile(
        r"""\s*(?:(?:async\s+)?function\b|(?:const|let|var|class)\s+\w|(?:return|import|export)\b
        |(?:if|for|while|switch|try)\b.*[({]|[\w.]+\(|[\w.\[\]]+\s*=[^=]|//|/\*|["'{}(\[])""",
        re.X,
    ),
    definition=r"^(?:export[ \t]+)?(?:async[ \t]+)?function[ \t*]+{name}\b"
    r"|^(?:export[ \t]+)?(?:const|let|var)[ \t]+{name}\b",
)

SQL = Language(
    labels=("sql", "sqlite", "sqlite3"),
    start=re.compile(r"\s*(?:select|with|values|insert|update|delete|create|drop)\b", re.I),
    definition=r"^\s*(?:select|with)\b",
)


@dataclass(frozen=True)
class Block:
    """One fenced block: its label in lower case, or "" where the fence has none."""

    label: str
    text: str


def normalise(text: str) -> str:
    r"""Drop a byte order mark and make every line end ``\n``."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def blocks(text: str) -> list[Block]:
    """List the fenced blocks of a text, outermost only, in order."""
    return list(_fenced(normalise(text).removesuffix("\n").split("\n")))


def extract(text: str, language: Language, name: str = "") -> str:
    """Return the code in a completion, or "" if there is none. It should define ``name``."""
    text = normalise(text)
    before = _before_bare_fence(text, language)
    if before:
        return before
    fenced = blocks(text)
    return _chosen(fenced, language, name) if fenced else _unfenced(text, language)


def splice(prompt: str, completion: str, name: str) -> str:
    """Join a Python function's beginning with its completion; return "" if that holds no code.

    A completion that repeats the function replaces it, and keeps what stands above it in the prompt
    (imports, helpers). A fenced completion that was moved to the margin is indented again. Any
    other completion is appended as it is: its indentation is part of the answer.
    """
    text = normalise(completion)
    before = _before_bare_fence(text, PYTHON)
    fenced = [] if before else blocks(text)
    code = before or (_chosen(fenced, PYTHON, name) if fenced else text)
    if not code.strip():
        return ""
    if PYTHON.defined(code, name):
        kept = PYTHON.defined(prompt, name)
        return prompt[: kept.start() if kept else 0] + (code if fenced else _unfenced(code, PYTHON))
    if fenced and not code.lstrip("\n").startswith((" ", "\t")):
        code = "".join(f"    {line}\n" for line in code.rstrip("\n").split("\n"))
    return prompt + code


def _fenced(lines: list[str]) -> Iterator[Block]:
    opened: re.Match[str] | None = None
    inside: list[str] = []
    for line in lines:
        fence = _FENCE.match(line[:_HEAD])
        if opened is None:
            opened, inside = fence, []
        elif fence and fence[2].startswith(opened[2]) and not fence[3].strip():
            yield _block(opened, inside)
            opened = None
        else:
            inside.append(line.removeprefix(opened[1]))
    if opened is not None:
        yield _block(opened, inside)


def _block(fence: re.Match[str], lines: list[str]) -> Block:
    words = fence[3].strip().lower().split()
    return Block(words[0].strip("{}.") if words else "", "".join(f"{line}\n" for line in lines))


def _chosen(fenced: list[Block], language: Language, name: str) -> str:
    labelled = [block.text for block in fenced if block.label in language.labels]
    texts = labelled or [block.text for block in fenced if not block.label]
    defining = [text for text in texts if name and language.defined(text, name)]
    chosen = defining[-1:] or texts[:1]
    return chosen[0] if chosen and chosen[0].strip() else ""


def _before_bare_fence(text: str, language: Language) -> str:
    lines = text.split("\n")
    at = next((at for at, line in enumerate(lines) if _FENCE.match(line[:_HEAD])), None)
    if at is None or lines[at].strip("`~ \t"):
        return ""
    first = next((line for line in lines[:at] if line.strip()), "")
    return "\n".join(lines[:at]) + "\n" if first and language.begins(first) else ""


def _unfenced(text: str, language: Language) -> str:
    lines = text.split("\n")
    begin = next((at for at, line in enumerate(lines) if language.begins(line)), None)
    if begin is None:
        return ""
    end, quoted = begin, False
    for line in lines[begin:]:
        if not quoted and _PROSE.match(line[:_HEAD]) and not language.begins(line):
            break
        quoted ^= len(_TRIPLE_QUOTE.findall(line)) % 2 == 1
        end += 1
    return "\n".join(lines[begin:end]).rstrip() + "\n"
