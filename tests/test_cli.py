"""The command line: quick help, one-line errors, exit codes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mftbench.cli import app


def mftbench(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from mftbench.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


@pytest.fixture
def study_file(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text('name = "s"\nmodels = ["nano"]\ntasks = ["completion"]\n')
    return str(path)


def test_help_takes_less_than_a_second_and_lists_the_commands():
    started = time.perf_counter()
    result = mftbench("--help")
    assert time.perf_counter() - started < 1.0  # 0.3 s on an idle machine
    for command in ("run", "plan", "show", "doctor", "score", "compare", "tasks", "data"):
        assert command in result.stdout


def test_version_is_printed():
    assert mftbench("--version").stdout.strip()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "optim.lrr=1"], "unknown key 'optim.lrr'"),
        (["--set", 'tasks=["completon"]'], "unknown task 'completon'; did you mean 'completion'"),
        (["--set", 'balancers=["task_tokem"]'], "did you mean 'task_token'"),
        (["--set", "format=plane"], "unknown format 'plane' in study 's'; did you mean 'plain'"),
        (["--modes", "mftt"], "unknown mode 'mftt'"),
        (["--set", 'data.completion.evaluate=["humanevil"]'], "did you mean 'humaneval'"),
    ],
)
def test_a_wrong_study_is_one_line_and_exit_code_2(study_file, tmp_path, arguments, message):
    result = mftbench("plan", study_file, *arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_a_model_that_is_not_here_can_be_planned_and_not_run(study_file, tmp_path):
    missing = ("--set", 'models=["nowhere/none"]')
    assert mftbench("plan", study_file, *missing, cwd=tmp_path).returncode == 0
    result = mftbench("run", study_file, *missing, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert "nowhere/none" in result.stderr


def test_a_negative_number_of_rows_is_exit_code_2():
    result = mftbench("data", "show", "completion", "starter", "-n", "-1")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


OUT_OF_RANGE = [
    ("plan", "--cpus", "-1"),
    ("plan", "--cpus", "0"),
    ("plan", "--gpus", "-3"),
    ("plan", "--tflops", "nan"),
    ("plan", "--tflops", "inf"),
    ("plan", "--tflops", "-5"),
    ("score", "--timeout", "0"),
    ("score", "--timeout", "-1"),
    ("score", "--timeout", "nan"),
    ("score", "--workers", "-1"),
    ("run", "--workers", "-1"),
]


@pytest.mark.parametrize(("command", "option", "value"), OUT_OF_RANGE)
def test_a_number_out_of_range_is_refused_by_its_option(command, option, value):
    result = CliRunner().invoke(app, [command, "none", option, value])
    assert result.exit_code == 2
    assert option in result.stderr
    assert "Invalid value" in result.stderr


@pytest.mark.parametrize("format", ["", " , "])
def test_figures_of_no_format_are_refused(format):
    result = CliRunner().invoke(app, ["figures", "laptop", "--format", format])
    assert str(result.exception) == f"--format {format!r} names no format; known: svg, pdf"


def test_a_missing_study_is_exit_code_2(tmp_path):
    result = mftbench("run", "none.toml", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (2, "error: no study file at none.toml\n")


def test_debug_shows_the_traceback(tmp_path):
    assert "Traceback" in mftbench("--debug", "run", "none.toml", cwd=tmp_path).stderr
