r"""Find the code in a completion, by a documented rule that is linear in its length.

The rule, for ``extract``; it never raises:

1. Line ends become ``\n`` and a byte order mark is dropped. Nothing else is changed: tabs, NULs and
   lone surrogates are the program's own affair.
2. A fence opens with three or more backticks or tildes at any indentation, which is taken off its
   lines. It closes with as many or more of the same sign, alone on a line that is indented no
   deeper; so a longer fence may hold a shorter one, and a docstring one of its own. A fence that
   is never closed ends with the text.
3. Of the blocks in the wanted language (or, failing that, without a language) it is the last one
   that defines the wanted name, else the first. Blocks in other languages do not count.
4. A text that begins with code and then meets a bare fence ends there: the fence closes one that
   the prompt had opened. Fences inside its docstrings do not count. A text that begins with a
   function's body, which is indented, ends at the first fence at the margin, whatever its label.
5. Without any fence, code begins at the first line that looks like code or defines the wanted name,
   with the header that a brace or a parameter on that line belongs to, and ends before the first
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
_HEADING = re.compile(r"#+ ")
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
    own = _own(text, language, name)
    fenced = [] if own else blocks(text)
    if fenced:
        return _whole(_chosen(fenced, language, name), language)
    return _whole(_unfenced(own or text, language, name), language)


def splice(prompt: str, completion: str, name: str, language: Language = PYTHON) -> str:
    """Join a function's beginning with its completion; return "" if that holds no code.

    A completion that begins with an indented line is the function's body, and is appended as it is:
    its indentation is part of the answer. One that repeats the function replaces it, and keeps what
    stands above it in the prompt (imports, helpers, the class around it). A fenced Python
    completion that was moved to the margin is indented again.
    """
    text = normalise(completion)
    own = _until_fence(text) if _is_body(text, name, language) else _own(text, language, name)
    fenced = [] if own else blocks(text)
    code = _chosen(fenced, language, name) if fenced else own or text
    if not code.strip():
        return ""
    if _is_body(code, name, language):
        body = code if fenced else _until_prose(code, language)
        if not language.braces:
            return prompt + body
        return _closed(prompt + _whole(_once(body, name, language), language))
    if language.defined(code, name):
        kept = _above(prompt, code, name, language)
        whole = _whole(code if fenced else _unfenced(code, language, name), language)
        joined = _headed(kept, whole, language)
        return _closed(joined) if _CLASS.search(kept) else joined
    if language.braces:
        return _closed(prompt + _whole(code, language))
    if fenced and not code.lstrip("\n").startswith((" ", "\t")):
        code = "".join(f"    {line}\n" for line in code.rstrip("\n").split("\n"))
    return prompt + code


def _is_body(code: str, name: str, language: Language) -> bool:
    """Say whether code begins within a function: with an indented line that is not its header.

    Some tokenizers begin every text with one space; so little indents only what looks like code.
    """
    first = _first(code.split("\n"))
    if not first[:1].isspace() or _FENCE.match(first[:HEAD]):
        return False
    line = first.strip()[:HEAD]
    sentence = _PROSE.match(line) or line.endswith((".", ":", "!", "?"))
    slight = not first.startswith(("\t", "  "))
    if line.startswith(("* ", "- ")) or ((sentence or slight) and not language.begins(first)):
        return False
    header = language.defined(code, name) if language.braces else None
    alike = header is not None and _indent(header[0]) == _indent(first)
    return not alike and not (language.braces and _CLASS.match(first.strip()[:HEAD]))


def _once(body: str, name: str, language: Language) -> str:
    """End a body before the same function, which some answers give again and no compiler takes."""
    again = language.defined(body, name)
    if again is None or _indent(again[0]) >= _indent(_first(body.split("\n"))):
        return body
    lines = body[: again.start()].split("\n")
    closing = [at for at, line in enumerate(lines) if _CLOSING.match(line[:HEAD])]
    return "\n".join(lines[: closing[-1] + 1] if closing else lines) + "\n"


def _headed(kept: str, code: str, language: Language) -> str:
    """Put code below what is kept of a prompt, but first what only a file's head may hold."""
    lines, end = code.split("\n"), 0
    for at, line in enumerate(lines):
        if language.heads is not None and language.heads.match(line[:HEAD]):
            end = at + 1
        elif line.strip() and not line.startswith(("#", "//")):
            break
    return "".join(f"{line}\n" for line in lines[:end]) + kept + "\n".join(lines[end:])


def _first(lines: list[str]) -> str:
    return next((line for line in lines if line.strip()), "")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


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
        elif fence and _closes(fence, opened):
            yield _block(opened, inside)
            opened = None
        else:
            inside.append(line.removeprefix(opened[1]))
    if opened is not None:
        yield _block(opened, inside)


def _closes(fence: re.Match[str], opened: re.Match[str]) -> bool:
    return (
        fence[2].startswith(opened[2])
        and not fence[3].strip()
        and len(fence[1].expandtabs()) <= len(opened[1].expandtabs())
    )


def _block(fence: re.Match[str], lines: list[str]) -> Block:
    words = fence[3].strip().lower().split()
    return Block(words[0].strip("{}.") if words else "", "".join(f"{line}\n" for line in lines))


def _chosen(fenced: list[Block], language: Language, name: str) -> str:
    labelled = [block.text for block in fenced if block.label in language.labels]
    texts = labelled or [block.text for block in fenced if not block.label]
    defining = [text for text in texts if name and language.defined(text, name)]
    chosen = defining[-1:] or texts[:1]
    return chosen[0] if chosen and chosen[0].strip() else ""


def _own(text: str, language: Language, name: str) -> str:
    """Give the code that a text begins with, up to a bare fence, or "" if it begins with none.

    A fence inside a docstring is part of the code. A heading is no code, though Python's comments
    look the same; and a line that only looks like code gives way to a block that has the name.
    """
    lines = text.split("\n")
    first = _first([line for line in lines if not _HEADING.match(line)])
    if not first or _FENCE.match(first[:HEAD]) or not _looks(first, language, name):
        return ""
    end, quoted = len(lines), False
    for at, line in enumerate(lines):
        if not quoted and _FENCE.match(line[:HEAD]):
            end = at
            break
        quoted = _still_quoted(line, quoted, language)
    if end == len(lines):
        return text
    own = "".join(f"{line}\n" for line in lines[:end])
    bare = not lines[end].strip("`~ \t")
    missed = name and not language.defined(own, name)
    if missed and any(language.defined(block.text, name) for block in blocks(text)):
        return ""
    return own if bare else ""


def _until_fence(text: str) -> str:
    """End a body at the first fence at the margin: one further in is part of its docstring."""
    lines = text.split("\n")
    ends = (at for at, line in enumerate(lines) if line[:1] in "`~" and _FENCE.match(line[:HEAD]))
    end = next(ends, None)
    return text if end is None else "".join(f"{line}\n" for line in lines[:end])


def _until_prose(text: str, language: Language) -> str:
    lines = text.split("\n")
    end = _end(lines, 0, language)
    return text if end == len(lines) else "".join(f"{line}\n" for line in lines[:end])


def _unfenced(text: str, language: Language, name: str) -> str:
    lines = text.split("\n")
    begin = next((at for at, line in enumerate(lines) if _looks(line, language, name)), None)
    if begin is None:
        return ""
    if language.braces:
        begin = _header(lines, begin)
    return "\n".join(lines[begin : _end(lines, begin, language)]).rstrip() + "\n"


def _looks(line: str, language: Language, name: str) -> bool:
    """Say whether a line looks like code, or defines the name."""
    defines = name and not _PROSE.match(line[:HEAD]) and language.defined(line[:HEAD], name)
    return language.begins(line) or bool(defines)


def _header(lines: list[str], begin: int) -> int:
    """Go up from a brace or a parameter on a line of its own to the header that they belong to."""
    at = begin
    while at and lines[at - 1].strip() and (lines[at].strip() == "{" or lines[at][:1].isspace()):
        at -= 1
    header = lines[at].rstrip()
    return at if "(" in header[:HEAD] and header.endswith(("(", ",", ")")) else begin


def _end(lines: list[str], begin: int, language: Language) -> int:
    """Find the first line at the margin that looks like prose and not like more of the code."""
    quoted = False
    for at in range(begin, len(lines)):
        line, above, below = lines[at], lines[at - 1] if at else "", lines[at + 1 : at + 2]
        code = (
            language.begins(line)
            or (above.strip() and language.goes_on(line))
            or (language.braces and below and below[0].strip() == "{")
        )
        if at > begin and not quoted and _PROSE.match(line[:HEAD]) and not code:
            return at
        quoted = _still_quoted(line, quoted, language)
    return len(lines)


def _still_quoted(line: str, quoted: bool, language: Language) -> bool:
    """Say whether a docstring or a block comment, where prose may stand, is open after the line."""
    if not language.braces:
        return quoted ^ (len(_TRIPLE_QUOTE.findall(line)) % 2 == 1)
    opened, closed = line.rfind("/*"), line.rfind("*/")
    return quoted if opened == closed else opened > closed
