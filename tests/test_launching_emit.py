"""Emitted plans: sbatch takes the scripts, and every line runs as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from board_rows import board_rows
from test_run import STUDY, bench
from typer import Exit

from mftbench.commands.collect import collect
from mftbench.errors import StoreError, UsageError
from mftbench.launching.emit import Emission, command_lines, emission_of, emit_as
from mftbench.launching.jobs import JobMaker
from mftbench.launching.launch import write_launch
from mftbench.launching.launched import launch_of
from mftbench.launching.slurm import Cluster, write_slurm
from mftbench.launching.units import units
from mftbench.leaderboard.files import write_board
from mftbench.plan import plan
from mftbench.stages import Parallel
from mftbench.store_at import StoreAt

TINY = """
name = "tiny"
models = ["nano"]
tasks = ["completion"]
modes = ["single"]
threads = 1
{changes}
[data.completion.options.starter]
train = 12
problems = 4

[optim]
steps = 2

[sampling]
max_new_tokens = 8
"""


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY.format(changes=""))
    return path


def mftbench(*arguments, folder: Path) -> str:
    command = [sys.executable, "-m", "mftbench", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout


def sbatch_environment(folder: Path) -> dict[str, str]:
    """Put a stand-in for sbatch on the path."""
    command = folder / "bin" / "sbatch"
    command.parent.mkdir()
    stub = Path(__file__).parent / "stub_sbatch.py"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} {stub} "$@"\n')
    command.chmod(0o755)
    paths = f"{command.parent}:{os.environ['PATH']}"
    return os.environ | {"PATH": paths, "STUB_SBATCH": str(folder / "jobs.json")}


def emission(folder: Path, study=STUDY, gpus=0) -> Emission:
    with bench(folder, study=study) as opened:
        made = units(plan(study, opened.context()))
    return Emission(
        study.name, made, JobMaker("launch", StoreAt(folder), gpus=gpus), folder / "board"
    )


def test_commands_are_one_line_per_unit_and_one_for_the_board(tmp_path):
    emitted = emission(tmp_path)
    lines = list(command_lines(emitted))
    assert len(lines) == len(emitted.units) + 1
    assert "collect" in lines[-1]


def test_line_i_of_every_stage_is_the_same_cell(tmp_path):
    emitted = emission(tmp_path)
    write_slurm(emitted, tmp_path / "out", Cluster())
    trains = (tmp_path / "out" / "train.txt").read_text().splitlines()
    generates = (tmp_path / "out" / "generate.txt").read_text().splitlines()
    inputs = {key: before for unit in emitted.units for key, before in unit.inputs.items()}
    for train, generate in zip(trains, generates, strict=True):
        before = inputs[generate.split()[-1]]
        assert train.split()[-1] == (before[0] if before else "true")


def test_ranks_that_lack_gpus_are_refused(tmp_path):
    study = replace(STUDY, parallel=Parallel(ranks=4))
    job_of = JobMaker("", StoreAt(tmp_path), gpus=1)
    with (
        bench(tmp_path, study=study) as opened,
        pytest.raises(UsageError, match="needs 4 GPUs and would be given 1"),
    ):
        emission_of(opened, plan(study, opened.context()), job_of, tmp_path / "board")


def test_only_stages_that_compute_ask_for_gpus(tmp_path):
    write_slurm(emission(tmp_path, gpus=2), tmp_path / "out", Cluster())
    asking = {path.stem for path in tmp_path.glob("out/*.sbatch") if "gpu:2" in path.read_text()}
    assert asking == {"train", "generate"}


def test_a_site_s_options_are_in_every_script(tmp_path):
    write_slurm(emission(tmp_path), tmp_path / "out", Cluster(("--partition=long",)))
    for path in tmp_path.glob("out/*.sbatch"):
        assert "#SBATCH --partition=long\n" in path.read_text()


def test_more_cells_than_an_array_may_have_are_several_arrays(tmp_path, monkeypatch):
    monkeypatch.setattr("mftbench.launching.slurm.ARRAY", 3)
    study = replace(STUDY, seeds=(1, 2))
    submit = write_slurm(emission(tmp_path, study), tmp_path / "out", Cluster()).read_text()
    assert submit.count("--array=0-2") == 12
    assert "MFTBENCH_FIRST=6" in submit


def test_an_unknown_form_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"unknown form 'slrm' in --emit; did you mean 'slurm'\?"):
        emit_as("slrm", emission(tmp_path), tmp_path, ())


def test_scripts_below_a_file_are_one_line(tmp_path):
    (tmp_path / "file").write_text("here")
    with pytest.raises(
        StoreError, match=r"cannot make the folder .*file/out/logs: Not a directory"
    ):
        write_slurm(emission(tmp_path), tmp_path / "file" / "out", Cluster())


def test_a_board_is_left_as_it_is_where_no_cell_has_a_row(tmp_path, capsys):
    board = tmp_path / "board"
    write_board(board, board_rows())
    before = {path.name: path.read_bytes() for path in board.iterdir()}
    with bench(tmp_path) as opened:
        launch = write_launch(opened.store, launch_of(opened))
    with pytest.raises(Exit):
        collect(launch, StoreAt(tmp_path), board)
    assert {path.name: path.read_bytes() for path in board.iterdir()} == before
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.endswith(f"no cell has a row, so {board} is left as it is")


def test_the_stub_refuses_what_sbatch_refuses(tmp_path):
    script = tmp_path / "a.sbatch"
    script.write_text("#!/bin/bash\n#SBATCH --requeu\ntrue\n")
    environment = sbatch_environment(tmp_path)
    result = subprocess.run(["sbatch", script], env=environment, capture_output=True, text=True)
    assert "unrecognized option '--requeu'" in result.stderr


@pytest.mark.slow
@pytest.mark.needs_bubblewrap
def test_sbatch_takes_the_arrays_and_they_end_with_the_board_of_a_plain_run(tiny, tmp_path):
    mftbench("run", tiny, "--store", "alone", "--board", "expected", folder=tmp_path)
    emitted = ("--store", "store", "--board", "board", "--emit", "slurm", "--out", "slurm")
    submit = mftbench("plan", tiny, *emitted, folder=tmp_path).strip()
    subprocess.run([submit], check=True, env=sbatch_environment(tmp_path), capture_output=True)
    codes = json.loads((tmp_path / "jobs.json").read_text())
    assert list(codes.values()) == [[0, 0]] * 4 + [[0]]
    expected = (tmp_path / "expected" / "results.jsonl").read_bytes()
    assert (tmp_path / "board" / "results.jsonl").read_bytes() == expected


@pytest.mark.slow
@pytest.mark.needs_bubblewrap
def test_emitted_commands_run_as_they_are_and_twice(tiny, tmp_path):
    mftbench("run", tiny, "--store", "alone", "--board", "expected", folder=tmp_path)
    emitted = ("--store", "store", "--board", "board", "--emit", "commands")
    script = mftbench("plan", tiny, *emitted, folder=tmp_path)
    first = subprocess.run(["bash", "-e"], input=script, text=True, capture_output=True)
    again = subprocess.run(["bash", "-e"], input=script, text=True, capture_output=True)
    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert '"made":0' in again.stdout
    assert '"made":1' not in again.stdout
    expected = (tmp_path / "expected" / "results.jsonl").read_bytes()
    assert (tmp_path / "board" / "results.jsonl").read_bytes() == expected


@pytest.mark.slow
@pytest.mark.needs_bubblewrap
def test_two_slots_give_the_bytes_of_one(tiny, tmp_path):
    mftbench("run", tiny, "--store", "one", "--board", "expected", folder=tmp_path)
    mftbench("run", tiny, "--store", "two", "--board", "board", "--slots", "2", folder=tmp_path)
    expected = (tmp_path / "expected" / "results.jsonl").read_bytes()
    assert (tmp_path / "board" / "results.jsonl").read_bytes() == expected
