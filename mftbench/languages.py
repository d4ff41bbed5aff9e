"""What extraction knows of each language: labels of fences, how code begins, what it defines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["CPP", "GO", "JAVA", "JAVASCRIPT", "LANGUAGES", "PYTHON", "RUST", "SQL", "Language"]

# Lines are judged by their beginning, so that no pattern can be made to backtrack over a huge one.
HEAD = 200


@dataclass(frozen=True)
class Language:
    """How to find a language's code in a text.

    ``labels`` are those of fences, ``start`` how a line of code begins, ``definition`` a pattern
    with the field ``{name}``. Where blocks end with a brace, ``braces`` is true and ``ends`` are
    the beginnings of lines at the margin that belong to no answer: another main program. ``heads``
    are lines that may stand only at a file's head, and ``inside`` begins lines that go on with what
    the line before began, though they may read like a sentence.
    """

    name: str
    labels: tuple[str, ...]
    start: re.Pattern[str]
    definition: str
    braces: bool = False
    ends: tuple[str, ...] = ()
    heads: re.Pattern[str] | None = None
    inside: re.Pattern[str] | None = None

    def begins(self, line: str) -> bool:
        """Say whether a line looks like code."""
        return self.start.match(line[:HEAD]) is not None

    def goes_on(self, line: str) -> bool:
        """Say whether a line looks like the middle of what the line before began."""
        return self.inside is not None and self.inside.match(line[:HEAD]) is not None

    def defined(self, code: str, name: str) -> re.Match[str] | None:
        """Find the first line that defines the name."""
        return next(self._definitions(code, name), None)

    def defined_last(self, code: str, name: str) -> re.Match[str] | None:
        """Find the last line that defines the name: a prompt's own, below the examples in it."""
        return max(self._definitions(code, name), key=lambda each: each.start(), default=None)

    def _definitions(self, code: str, name: str) -> Iterator[re.Match[str]]:
        return re.finditer(self.definition.replace("{name}", re.escape(name)), code, re.M)


PYTHON = Language(
    name="python",
    labels=("python", "py", "python3", "py3"),
    start=re.compile(
        r"""\s*(?:(?:async\s+)?def\s+\w|class\s+\w|@\w|import\s+\w[\w., ]*$|from\s+[\w.]+\s+import\b
        |(?:if|for|while|with|try|match)\b.*:\s*(?:\#.*)?$|(?:return|raise|assert|del|yield)\b
        |pass\s*$|\w[\w.\[\],'"]*\s*(?:[-+*/%|&^]|//|\*\*)?=[^=]|\w+\s*:\s*\w.*=|[\w.]+\(
        |\#|\"\"\"|''')""",
        re.X,
    ),
    definition=r"^(?:async[ \t]+)?def[ \t]+{name}\b|^{name}[ \t]*=[^=]",
    heads=re.compile(r"from[ \t]+__future__[ \t]+import\b"),
)

JAVASCRIPT = Language(
    name="javascript",
    labels=("javascript", "js", "node", "jsx"),
    start=re.compile(
        r"""\s*(?:(?:async\s+)?function\b|(?:const|let|var|class)\s+\w|(?:return|import|export)\b
        |(?:if|for|while|switch|try)\b.*[({]|[\w.]+\(|[\w.\[\]]+\s*=[^=]|//|/\*|["'{}(\[])""",
        re.X,
    ),
    definition=r"^(?:export[ \t]+)?(?:async[ \t]+)?function[ \t*]+{name}\b"
    r"|^(?:export[ \t]+)?(?:const|let|var)[ \t]+{name}\b",
    braces=True,
)

# A type, the name, a bracket, and either a brace or a line's end at which no call and no sentence
# ends. What ``return`` or ``else`` begins is a call that goes on on the next line.
_TYPED = (
    r"^[ \t]*(?!(?:return|co_return|throw|else|case|default|new|do|goto|and|or|not)\b)"
    r"[\w<\[][\w<>\[\],?.:&* \t]*[ \t*&]{name}[ \t]*\("
    r"(?:[^;{\n]*\{|(?:[^;{\n]*(?:[,()]|\bconst|\bnoexcept|\bthrows[\w., \t]{1,80}))?[ \t]*(?://.*)?$)"
)
_BRACED = re.compile(
    r"""\s*(?:\#\s*(?:include|define|pragma)|//|/\*|\*|[{}@]|\#\[|.*[;{}]\s*$
    |(?:using|import|package|public|private|protected|static|final|class|struct|template|const)\s
    |(?:fn|func|use|pub|let|var|mod|impl|type|enum|trait)\s)""",
    re.X,
)

CPP = Language(
    name="cpp",
    labels=("cpp", "c++", "cc", "cxx", "c"),
    start=_BRACED,
    definition=_TYPED,
    braces=True,
    ends=("int main(", "int main (", "void main("),
)

JAVA = Language(
    name="java",
    labels=("java",),
    start=_BRACED,
    definition=_TYPED,
    braces=True,
    ends=("public class Main", "class Main"),
    heads=re.compile(r"import[ \t][\w.* \t]+;"),
)

GO = Language(
    name="go",
    labels=("go", "golang"),
    start=_BRACED,
    definition=r"^func[ \t]+{name}\b",
    braces=True,
    ends=("func main(",),
)

RUST = Language(
    name="rust",
    labels=("rust", "rs"),
    start=_BRACED,
    definition=r"^(?:pub[ \t]+)?fn[ \t]+{name}\b",
    braces=True,
    ends=("fn main(", "#[cfg(test)]"),
)

SQL = Language(
    name="sql",
    labels=("sql", "sqlite", "sqlite3"),
    # A sentence may begin with "with", so what is named there has to follow.
    start=re.compile(
        r"""\s*(?:(?:select|values|insert|update|delete|create|drop)\b
        |with\s*$|with\s+(?:recursive\s+)?[\w"`\[\]]+\s*(?:\(|as\b|$))""",
        re.I | re.X,
    ),
    definition=r"^\s*(?:select|with)\b",
    inside=re.compile(
        r"""(?:from|where|group|order|having|join|inner|left|right|full|outer|cross|natural|limit
        |offset|union|intersect|except|and|or|on|using|not|in|between|like|as|case|when|then|else
        |end|asc|desc|distinct)\b""",
        re.I | re.X,
    ),
)

LANGUAGES = {each.name: each for each in (PYTHON, JAVA, CPP, JAVASCRIPT, GO, RUST)}
