"""A run that is killed, or run twice at the same time, ends with the bytes of one quiet run."""

from __future__ import annotations

from pathlib import Path

import pytest
from killing import finish, kill_and_resume, published, start

STUDY = """
name = "killed"
models = ["nano"]
tasks = ["completion", "sql"]
modes = ["single", "mft"]

[data.completion.options.starter]
train = 64
problems = 12

[data.sql.options.starter]
train = 32
problems = 12

[optim]
batch = 8
accumulation = 2
checkpoint_every = 2

[sampling]
n = 2
temperature = 0.8
max_new_tokens = 48
batch = 8
"""


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "killed.toml"
    path.write_text(STUDY)
    return str(path)


@pytest.mark.slow
@pytest.mark.needs_bubblewrap
def test_a_run_killed_at_random_moments_ends_with_the_same_bytes(study, tmp_path):
    result = kill_and_resume(study, tmp_path, kills=4, within_s=15, seed=7)
    assert result.made_twice == []
    assert result.resumed == result.uninterrupted


@pytest.mark.slow
@pytest.mark.needs_bubblewrap
def test_two_runs_at_the_same_time_make_nothing_twice(study, tmp_path):
    alone = finish(study, tmp_path / "alone")
    together = tmp_path / "together"
    together.mkdir()
    runs = [start(study, together) for _ in range(2)]
    assert [process.wait() for process in runs] == [0, 0]
    assert (together / "board" / "results.jsonl").read_bytes() == alone
    assert len(published(together)) == len(published(tmp_path / "alone"))
    made = [
        int(line.split()[0])
        for line in (together / "log.txt").read_text().splitlines()
        if "artifacts made" in line
    ]
    stages = [path for path in published(together) if Path(path).parent.name != "tokens"]
    assert sum(made) == len(stages)
