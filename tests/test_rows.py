import json
from dataclasses import replace

import pytest
from board_rows import ROW
from hypothesis import given
from hypothesis import strategies as st

from mftbench.errors import UsageError
from mftbench.leaderboard.rows import digest_ids, parse, read_rows, serialise


def test_what_is_written_is_read_back():
    assert parse(serialise([ROW]), "r") == (ROW,)


@given(st.permutations(range(4)))
def test_the_order_of_rows_does_not_change_a_byte(order):
    rows = [replace(ROW, seed=seed) for seed in range(4)]
    assert serialise([rows[i] for i in order]) == serialise(rows)


@given(st.floats(0, 1), st.lists(st.floats(0, 1) | st.none()))
def test_writing_again_what_was_read_changes_nothing(value, items):
    text = serialise([replace(ROW, value=value, items=tuple(items), problems=len(items))])
    assert serialise(parse(text, "r")) == text


def test_floats_are_rounded_to_six_digits():
    line = json.loads(serialise([replace(ROW, value=1 / 3, items=(2 / 3, -0.0))]))
    assert (line["value"], line["items"]) == (0.333333, [0.666667, 0.0])
    assert "-0.0" not in serialise([replace(ROW, items=(-0.0,))])


def test_an_empty_file_has_no_rows(tmp_path):
    (tmp_path / "results.jsonl").write_text("")
    assert read_rows(tmp_path / "results.jsonl") == ()


def test_a_torn_line_is_named_by_file_and_number(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text(serialise([ROW]) + '{"board": "lap')
    with pytest.raises(UsageError, match=r"results\.jsonl:2: "):
        read_rows(path)


def test_an_unknown_field_is_named():
    line = json.dumps(json.loads(serialise([ROW])) | {"valeu": 1})
    with pytest.raises(UsageError, match="r:1: field 'valeu': unknown field"):
        parse(line, "r")


def test_a_missing_field_is_named():
    fields = json.loads(serialise([ROW]))
    del fields["keys"]["train"]
    with pytest.raises(UsageError, match=r"r:1: field 'keys\.train': missing"):
        parse(json.dumps(fields), "r")


def test_a_field_of_the_wrong_type_is_named():
    line = json.dumps(json.loads(serialise([ROW])) | {"problems": "two"})
    with pytest.raises(UsageError, match="r:1: field 'problems': "):
        parse(line, "r")


def test_items_that_do_not_fit_the_problems_are_refused():
    with pytest.raises(UsageError, match="r:1: 2 items of 3 problems"):
        parse(serialise([replace(ROW, problems=3)]), "r")


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        read_rows(tmp_path / "results.jsonl")


def test_nan_is_never_written():
    with pytest.raises(ValueError, match="not JSON compliant"):
        serialise([replace(ROW, value=float("nan"))])


def test_a_problem_set_is_known_by_its_ids_in_any_order():
    assert digest_ids(["b", "a"]) == digest_ids(["a", "b"]) != digest_ids(["a", "c"])
