"""The item log: a killed writer loses at most its torn last line."""

from __future__ import annotations

import pytest

from mftbench.errors import StoreError
from mftbench.itemlog import ItemLog, read_items, read_log, write_items


def test_items_come_back_in_order(tmp_path):
    with ItemLog(tmp_path / "a.jsonl") as log:
        log.append({"n": 1})
        log.append({"n": 2})
        assert [item["n"] for item in log] == [1, 2]


def test_a_torn_last_line_is_dropped_and_the_log_goes_on(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"n":1}\n{"n":2')
    with ItemLog(path) as log:
        log.append({"n": 3})
    assert [item["n"] for item in read_items(path)] == [1, 3]


def test_a_log_is_read_without_its_torn_last_line_while_it_grows(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"n":1}\n{"n":2')
    assert list(read_log(path)) == [{"n": 1}]


def test_an_empty_log_has_no_items(tmp_path):
    with ItemLog(tmp_path / "a.jsonl") as log:
        assert list(log) == []


def test_lone_surrogates_survive(tmp_path):
    path = tmp_path / "a.jsonl"
    write_items(path, [{"text": "a\ud800b"}])
    assert next(read_items(path)) == {"text": "a\ud800b"}


def test_a_corrupt_line_is_named_by_file_and_number(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"n":1}\nnot json\n')
    with pytest.raises(StoreError, match=r"a\.jsonl:2: not a JSON line"):
        list(read_items(path))


def test_a_torn_line_longer_than_a_block_is_dropped(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"n":1}\n' + "x" * 200_000)
    with ItemLog(path) as log:
        assert list(log) == [{"n": 1}]
    assert path.stat().st_size == 8


def test_a_log_that_is_one_torn_line_becomes_empty(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("x" * 70_000)
    with ItemLog(path) as log:
        assert list(log) == []
