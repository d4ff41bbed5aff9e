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
6. In languages with braces an answer ends before a main program of its own; and if what follows the
   last brace at the margin opens more than it closes, it was cut short and is left out.

No parser is used on purpose: Python's own can exhaust the host's stack on what a model wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mftbench.languages import HEAD, JAVASCRIPT, PYTHON, SQL, Language

__all__ = ["JAVASCRIPT", "PYTHON", "SQL", "Block", "Language", "blocks", "extract", "splice"]

_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})[ \t]*([^`]*)$")
_PROSE = re.compile(r"(?:[A-Z][a-z']*,? +[\w'`]|[A-Z][\w ]*:\s*$|[*-] |\d+\. |#{2,} )")
_CLOSING = re.compile(r"\}[;)]*\s*(?://.*)?$")
_CLASS = re.compile(r"^(?:public[ \t]+|final[ \t]+)*class[ \t]+\w", re.M)
_TRIPLE_QUOTE = re.compile(r'"""|\'\'\'')


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
        return _whole(before, language)
    fenced = blocks(text)
    return _whole(
        _chosen(fenced, language, name) if fenced else _unfenced(text, language), language
    )


def splice(prompt: str, completion: str, name: str, language: Language = PYTHON) -> str:
    """Join a function's beginning with its completion; return "" if that holds no code.

    A completion that repeats the function replaces it, and keeps what stands above it in the prompt
    (imports, helpers, the class around it). A fenced Python completion that was moved to the margin
    is indented again. Any other completion is appended as it is: its indentation is part of the
    answer.
    """
    text = normalise(completion)
    before = _before_bare_fence(text, language)
    fenced = [] if before else blocks(text)
    code = before or (_chosen(fenced, language, name) if fenced else text)
    if not code.strip():
        return ""
    if language.defined(code, name):
        kept = _above(prompt, code, name, language)
        whole = kept + _whole(code if fenced else _unfenced(code, language), language)
        return _closed(whole) if _CLASS.search(kept) else whole
    if language.braces:
        return _closed(prompt + _whole(code, language))
    if fenced and not code.lstrip("\n").startswith((" ", "\t")):
        code = "".join(f"    {line}\n" for line in code.rstrip("\n").split("\n"))
    return prompt + code


def _above(prompt: str, code: str, name: str, language: Language) -> str:
    """Keep what stands above the function, or above its class if the code brings one too.

    In languages with braces a second declaration is an error, so it is left out if the code repeats
    all of it.
    """
    opening = _CLASS.search(prompt) if language.braces and _CLASS.search(code) else None
    place = opening or language.defined_last(prompt, name)
    kept = prompt[: place.start() if place else 0]
    if not language.braces:
        return kept
    own = {line.strip() for line in code.split("\n")}
    repeated = all(line.strip() in own for line in kept.split("\n") if line.strip())
    return "" if repeated else kept


def _whole(code: str, language: Language) -> str:
    """Leave out a main program, and a last function that was cut short."""
    if not (language.braces and code):
        return code
    lines = code.split("\n")
    end = next((at for at, line in enumerate(lines) if line.startswith(language.ends)), len(lines))
    closing = [at for at, line in enumerate(lines[:end]) if _CLOSING.match(line[:HEAD])]
    after = "\n".join(lines[closing[-1] + 1 : end]) if closing else ""
    if after.count("{") > after.count("}"):
        end = closing[-1] + 1
    return code if end == len(lines) else "\n".join(lines[:end]) + "\n"


def _closed(code: str) -> str:
    """Close the class that a prompt opened, if the completion closed only its method."""
    return code + "}\n" if code.count("{") == code.count("}") + 1 else code


def _fenced(lines: list[str]) -> Iterator[Block]:
    opened: re.Match[str] | None = None
    inside: list[str] = []
    for line in lines:
        fence = _FENCE.match(line[:HEAD])
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
    at = next((at for at, line in enumerate(lines) if _FENCE.match(line[:HEAD])), None)
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
        if not quoted and _PROSE.match(line[:HEAD]) and not language.begins(line):
            break
        quoted = _still_quoted(line, quoted, language)
        end += 1
    return "\n".join(lines[begin:end]).rstrip() + "\n"


def _still_quoted(line: str, quoted: bool, language: Language) -> bool:
    """Say whether a docstring or a block comment, where prose may stand, is open after the line."""
    if not language.braces:
        return quoted ^ (len(_TRIPLE_QUOTE.findall(line)) % 2 == 1)
    opened, closed = line.rfind("/*"), line.rfind("*/")
    return quoted if opened == closed else opened > closed
