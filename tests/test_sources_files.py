"""Source files: found where MFTBENCH_DATA says, and their faults told by file, line and field."""

from __future__ import annotations

import gzip
import json

import pytest

from mftbench.errors import UsageError
from mftbench.plugins import load_task, open_source
from mftbench.sources import jsonl
from mftbench.sources.jsonl import read_rows
from mftbench.sources.mbpp_row import Row

GOOD = {
    "task_id": 11,
    "text": "t",
    "code": "def f():\r\n  return 1",
    "test_list": ["assert f() == 1"],
}


def lines(*rows: object) -> bytes:
    return b"".join(
        (row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows
    )


@pytest.fixture
def file(tmp_path):
    return tmp_path / "mbpp.jsonl"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (lines(GOOD, b"{not json"), r"mbpp\.jsonl:2: invalid json"),
        (lines(GOOD, b"[1, 2]"), r"mbpp\.jsonl:2: "),
        (lines(GOOD, b"", {**GOOD, "code": 5}), r"mbpp\.jsonl:3: field 'code': .*string"),
        (lines({"task_id": 1}), r"mbpp\.jsonl:1: field 'text': field required"),
        (lines({**GOOD, "test_list": [1]}), r"mbpp\.jsonl:1: field 'test_list\.0'"),
        (lines(GOOD, b'{"text": "\xff"}'), r"mbpp\.jsonl:2: not UTF-8 at byte 11"),
        (b"", r"mbpp\.jsonl is empty"),
        (b"\n\n \n", r"mbpp\.jsonl is empty"),
        (b"\x00" * 50, r"mbpp\.jsonl:1: invalid json"),
        (b"[" * 100_000, r"mbpp\.jsonl:1: invalid json"),
        (b"[" * 100_000 + rb'"\ud83d"', r"mbpp\.jsonl:1: invalid json"),
    ],
)
def test_a_fault_is_told_by_file_and_line(file, content, fault):
    file.write_bytes(content)
    with pytest.raises(UsageError, match=fault):
        read_rows(file, Row)


def test_a_line_that_is_too_long_is_refused_before_it_is_read_whole(file, monkeypatch):
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 1000)
    file.write_bytes(lines(GOOD) + b"x" * 5000)
    with pytest.raises(UsageError, match=r"mbpp\.jsonl:2: line is over 1,000 bytes"):
        read_rows(file, Row)


def test_a_file_that_is_no_gzip_is_named(tmp_path):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(lines(GOOD))
    with pytest.raises(UsageError, match=r"x\.jsonl\.gz: cannot be read"):
        read_rows(path, Row)


def test_a_cut_gzip_is_named(tmp_path):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(lines(GOOD) * 100)[:-20])
    with pytest.raises(UsageError, match=r"x\.jsonl\.gz: cannot be read"):
        read_rows(path, Row)


def test_a_gzip_with_flipped_bytes_is_named(tmp_path):
    path = tmp_path / "x.jsonl.gz"
    damaged = bytearray(gzip.compress(lines(*({**GOOD, "task_id": n} for n in range(500)))))
    damaged[200:220] = bytes(byte ^ 0xFF for byte in damaged[200:220])
    path.write_bytes(damaged)
    with pytest.raises(UsageError, match=r"x\.jsonl\.gz: cannot be read"):
        read_rows(path, Row)


def test_a_byte_order_mark_and_unknown_fields_do_no_harm(file):
    file.write_bytes(b"\xef\xbb\xbf" + lines({**GOOD, "challenge_test_list": []}))
    assert [row.task_id for row in read_rows(file, Row)] == [11]


def test_without_the_variable_one_line_names_the_way(monkeypatch):
    monkeypatch.delenv("MFTBENCH_DATA", raising=False)
    with pytest.raises(UsageError, match=r"MFTBENCH_DATA is not set; set .* mbpp/mbpp\.jsonl"):
        open_source(load_task("text_to_code"), "mbpp")


def test_a_folder_without_the_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("MFTBENCH_DATA", str(tmp_path))
    monkeypatch.setenv("MFTBENCH_CHANGED_DATA", "1")
    with pytest.raises(UsageError, match=r"MFTBENCH_DATA is '.*', where it is not"):
        open_source(load_task("text_to_code"), "mbpp")


def test_mbpp_is_read_from_the_named_folder_with_plain_line_ends(monkeypatch, tmp_path):
    monkeypatch.setenv("MFTBENCH_DATA", str(tmp_path))
    monkeypatch.setenv("MFTBENCH_CHANGED_DATA", "1")
    (tmp_path / "mbpp").mkdir()
    (tmp_path / "mbpp" / "mbpp.jsonl").write_bytes(lines(GOOD, {**GOOD, "task_id": 601}))
    source = open_source(load_task("text_to_code"), "mbpp")
    assert [problem.gold for problem in source.problems()] == ["def f():\n  return 1\n"]
    assert [example.id for example in source.train()] == ["MBPP/601"]


def test_a_solution_that_does_not_parse_is_told_by_its_id(monkeypatch, tmp_path):
    monkeypatch.setenv("MFTBENCH_DATA", str(tmp_path))
    monkeypatch.setenv("MFTBENCH_CHANGED_DATA", "1")
    (tmp_path / "mbpp").mkdir()
    (tmp_path / "mbpp" / "mbpp.jsonl").write_bytes(lines({**GOOD, "code": "def ("}))
    with pytest.raises(UsageError, match="MBPP problem 11: code:"):
        list(open_source(load_task("text_to_code"), "mbpp").problems())
