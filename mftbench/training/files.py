"""Training rows from JSONL files in the forms that people have: pairs, rounds and messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mftbench.errors import UsageError
from mftbench.formats import Turn
from mftbench.sources.jsonl import read_lines, whole_characters

# MFTCoder's pairs, in its order: the first whose two keys a row has is taken.
_PAIRS = (
    ("prompt", "completion"),
    ("prompt", "answer"),
    ("prompt", "response"),
    ("input", "output"),
    ("instruction", "output"),
    ("instruction", "response"),
    ("question", "response"),
    ("question", "answer"),
    ("query", "answer"),
)
_ROUNDS = ("messages", "chat_rounds", "conversations")
_ROLES = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "bot": "assistant",
    "gpt": "assistant",
}


@dataclass(frozen=True)
class Dialogue:
    """One supervised answer: the turns up to it, the last of them the user's.

    ``id`` is of the row's content. All answers of a row have it, and so have equal rows: none of
    them validates what another has shown in training, whatever the file is called.
    """

    id: str
    turns: tuple[Turn, ...]
    answer: str


@dataclass
class RowFile:
    """A file's dialogues, as they are read, and what was wrong with the other rows, by line."""

    path: Path
    malformed: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Dialogue]:
        """Read the file once more; a row of several rounds gives a dialogue for each answer."""
        self.malformed = []
        for number, line in read_lines(self.path):
            try:
                turns = _turns(_parsed(line))
                yield from _answers(turns, hashlib.sha256(line.strip()).hexdigest()[:16])
            except _Malformed as reason:
                self.malformed.append(f"{self.path}:{number}: {reason}")


class _Malformed(Exception):
    pass


def _parsed(line: bytes) -> Mapping[str, Any]:
    try:
        line.decode("utf-8")
        row = json.loads(whole_characters(line))
    except UnicodeDecodeError as error:
        raise _Malformed(f"not UTF-8 at byte {error.start + 1}") from None
    except RecursionError:
        raise _Malformed("not JSON: nested too deeply") from None
    except ValueError as error:
        raise _Malformed(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise _Malformed(f"an object is wanted, not {type(row).__name__}")
    return row


def _turns(row: Mapping[str, Any]) -> list[Turn]:
    for name in _ROUNDS:
        if name in row:
            return _rounds(row[name], name)
    for asked, answered in _PAIRS:
        if asked in row and answered in row:
            turns = [("user", _asked(row, asked)), ("assistant", row[answered])]
            system = row.get("system")
            named = [("system", system), *turns] if system else turns
            return [_turn(role, content, "pair") for role, content in named]
    raise _Malformed(f"no known form: keys {', '.join(sorted(row)) or 'none'}")


def _asked(row: Mapping[str, Any], asked: str) -> Any:
    """Give what a pair asks: Alpaca's rows divide it into an instruction and its input."""
    if asked != "input" or "instruction" not in row:
        return row[asked]
    parts = (row["instruction"], row[asked])
    wrong = [part for part in parts if not isinstance(part, str)]
    return wrong[0] if wrong else "\n\n".join(part for part in parts if part)


def _rounds(rounds: Any, name: str) -> list[Turn]:
    if not isinstance(rounds, list) or not rounds:
        raise _Malformed(f"{name}: a list of turns is wanted")
    turns = []
    for index, turn in enumerate(rounds):
        if not isinstance(turn, dict):
            raise _Malformed(f"{name}[{index}]: an object is wanted")
        role, content = turn.get("role", turn.get("from")), turn.get("content", turn.get("value"))
        turns.append(_turn(role, content, f"{name}[{index}]"))
    return turns


def _turn(role: Any, content: Any, place: str) -> Turn:
    if role not in _ROLES:
        raise _Malformed(f"{place}: unknown role {role!r}; known: {', '.join(sorted(_ROLES))}")
    if not isinstance(content, str):
        raise _Malformed(f"{place}: content of the {role} is {type(content).__name__}, not text")
    return Turn(_ROLES[role], content)  # type: ignore[arg-type]


def _answers(turns: Sequence[Turn], name: str) -> list[Dialogue]:
    spoken = [turn for turn in turns if turn.role != "system"]
    roles = [turn.role for turn in spoken]
    if roles != ["user", "assistant"] * (len(roles) // 2) or not roles:
        raise _Malformed(f"user and assistant must take turns, found {', '.join(roles) or 'none'}")
    if any(not turn.content for turn in spoken if turn.role == "assistant"):
        raise _Malformed("an answer is empty")
    if any(turn.role == "system" for turn in turns[1:]):
        raise _Malformed("a system turn must be the first")
    places = [index for index, turn in enumerate(turns) if turn.role == "assistant"]
    return [Dialogue(name, tuple(turns[:place]), turns[place].content) for place in places]


def named_files(given: Sequence[str]) -> dict[str, Path]:
    """Give task files by task name, from ``TASK=FILE`` or ``FILE``, whose stem is the name.

    Raises UsageError if a file is missing or two tasks have one name.
    """
    files: dict[str, Path] = {}
    for item in given:
        name, equals, file = item.partition("=")
        path = Path(file if equals else item)
        name = name if equals else path.name.removesuffix(".gz").removesuffix(".jsonl")
        if not path.is_file():
            raise UsageError(f"no file {str(path)!r}; give TASK=FILE.jsonl or FILE.jsonl")
        if name in files:
            raise UsageError(f"two files of task {name!r}: {files[name]} and {path}; name them")
        files[name] = path
    return files
