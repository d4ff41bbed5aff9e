"""Damaged files of several kinds are refused with file, line and reason, through their sources."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mftbench.errors import UsageError
from mftbench.sources import code_trans, human_eval, human_eval_x, leetcode, mbpp, mbxp, spider
from mftbench.sources.eval_plus import MBPP_PLUS_FILES
from mftbench.sources.published import DataFile

TEXTS = {"prompt": "p", "canonical_solution": "c", "test": "t"}


@dataclass(frozen=True)
class Kind:
    """A file of the catalogue, and a row of it: ``{n}`` is the row's number."""

    file: DataFile[Any]
    row: dict[str, Any]
    field: str

    def rows(self, count: int = 4) -> list[dict[str, Any]]:
        text = json.dumps(self.row)
        return [json.loads(text.replace('"{n}"', str(n)).replace("{n}", str(n)))
                for n in range(601, 601 + count)]  # fmt: skip

    @property
    def array(self) -> bool:
        return self.file.path.endswith(".json")

    def place(self, number: int) -> str:
        """Say where a row is: by line, or by position in an array."""
        return rf"\[{number - 1}\]" if self.array else f":{number}"


KINDS = {
    "HumanEval": Kind(
        human_eval.FILE, {"task_id": "HumanEval/{n}", "entry_point": "f", **TEXTS}, "entry_point"
    ),
    "MBPP": Kind(
        mbpp.FILE, {"task_id": "{n}", "text": "é", "code": "x = 1", "test_list": ["t"]}, "code"
    ),
    "MBPP+": Kind(
        MBPP_PLUS_FILES["full"],
        {
            "task_id": "Mbpp/{n}",
            "prompt": "p",
            "canonical_solution": "c",
            "entry_point": "f",
            "base_input": [],
            "plus_input": [],
            "atol": 0,
        },
        "base_input",
    ),
    "HumanEval-X": Kind(
        human_eval_x.X_FILES["go"],
        {"task_id": "Go/{n}", "declaration": "func f() {", **TEXTS},
        "declaration",
    ),
    "CodeFuseEval's translation": Kind(
        code_trans.FILES["java", "python"],
        {"task_id": "Python/{n}", "func_title": "f", **TEXTS},
        "func_title",
    ),
    "MBXP": Kind(
        mbxp.FILES["java"],
        {
            "task_id": "MBJP/{n}",
            "entry_point": "f",
            "description": "d",
            "language": "java",
            **TEXTS,
        },
        "entry_point",
    ),
    "LeetCodeDataset": Kind(
        leetcode.FILE,
        {
            "task_id": "two-sum-{n}",
            "completion": "c",
            "entry_point": "f",
            "query": "q",
            "response": "r",
            "prompt": "p",
            "test": "t",
        },
        "completion",
    ),
    "Spider's questions": Kind(
        spider.DEV, {"db_id": "a", "question": "q{n}", "query": "SELECT 1"}, "query"
    ),
    "Spider's tables": Kind(
        spider.TABLES,
        {
            "db_id": "db{n}",
            "table_names_original": ["t"],
            "column_names_original": [[-1, "*"], [0, "c"]],
            "column_types": ["text", "text"],
            "primary_keys": [1],
            "foreign_keys": [],
        },
        "column_types",
    ),
}
ALL = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("MFTBENCH_DATA", str(tmp_path))
    return tmp_path


def write(folder: Path, kind: Kind, rows: list[dict[str, Any]], encoding: str = "utf-8") -> Path:
    """Write a file of its kind: JSON lines, compressed or not, or one array."""
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    text = "[\n" + ",\n".join(lines) + "\n]\n" if kind.array else "".join(f"{x}\n" for x in lines)
    path = folder / kind.file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode(encoding)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def refused(kind: Kind, reason: str) -> None:
    name = Path(kind.file.path).name.replace(".", r"\.")
    with pytest.raises(UsageError, match=f"{name}{reason}"):
        kind.file.rows()


@ALL
def test_whole_rows_are_read_if_other_bytes_are_asked_for(folder, kind, monkeypatch):
    monkeypatch.setenv("MFTBENCH_CHANGED_DATA", "1")
    write(folder, kind, kind.rows())
    assert len(kind.file.rows()) == 4


@ALL
def test_a_changed_digest_is_refused(folder, kind):
    write(folder, kind, kind.rows())
    refused(kind, f": its SHA-256 is [0-9a-f]{{12}}, not {kind.file.sha256[:12]} of https")


@ALL
def test_a_missing_field_is_refused(folder, kind):
    rows = kind.rows()
    del rows[2][kind.field]
    write(folder, kind, rows)
    refused(kind, f"{kind.place(3)}: field '{kind.field}': field required")


@ALL
def test_a_field_of_another_type_is_refused(folder, kind):
    rows = kind.rows()
    rows[1]["db_id" if kind.array else "task_id"] = {"a": 1}
    write(folder, kind, rows)
    refused(kind, f"{kind.place(2)}: field '(task|db)_id'")


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if kind.file.key], ids=lambda kind: kind.file.path
)
def test_a_duplicate_id_is_refused_with_both_places(folder, kind):
    rows = kind.rows()
    write(folder, kind, [*rows, rows[1]])
    refused(
        kind, f"{kind.place(5)}: field '{kind.file.key}': .* is there already, at .*{kind.place(2)}"
    )


@ALL
def test_a_wrong_encoding_is_refused_with_its_line(folder, kind):
    rows = kind.rows()
    rows[2][kind.field] = "é"
    for row in rows[:2] + rows[3:]:
        row.update({name: "e" for name, value in row.items() if value == "é"})
    write(folder, kind, rows, "latin-1")
    # An array begins on a line of its own.
    refused(kind, f":{4 if kind.array else 3}: not UTF-8 at byte")


@ALL
def test_a_truncated_file_is_refused(folder, kind):
    path = write(folder, kind, kind.rows(200))
    path.write_bytes(path.read_bytes()[:-20])
    if path.suffix == ".gz":
        refused(kind, ": cannot be read: Compressed file ended")
    elif kind.array:
        refused(kind, r": invalid json: eof while parsing .* at line \d+")
    else:
        refused(kind, ":200: invalid json: eof while parsing")
