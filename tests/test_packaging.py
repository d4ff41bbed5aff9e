"""Packaging: what the wheel brings, what importing costs, what the project never imports."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run_python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


@pytest.mark.parametrize(
    "name",
    [
        "mftbench/py.typed",
        "mftbench/tasks/__init__.py",
        "mftbench/tasks/completion/__init__.py",
        "mftbench/tasks/completion/README.md",
        "mftbench/tasks/_template/__init__.py",
        "mftbench/sandbox/images/python/check.py",
        "mftbench/studies/laptop.toml",
        "mftbench/starter/nano/model.safetensors",
        "mftbench/leaderboard/report/page.html",
        "mftbench/leaderboard/report/samples.js",
    ],
)
def test_the_wheel_contains(wheel_names, name):
    assert name in wheel_names


def test_the_wheel_claims_one_import_name(wheel_names):
    tops = {name.split("/")[0] for name in wheel_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"mftbench"}


def test_the_command_line_imports_neither_torch_nor_transformers_nor_docker():
    heavy = "{'torch', 'transformers', 'docker', 'scipy'}"
    code = f"import sys, mftbench.cli; print(sorted({heavy} & set(sys.modules)))"
    assert run_python(code).strip() == "[]"


def test_importing_prints_and_makes_nothing(tmp_path):
    code = "import os, mftbench.cli, mftbench.run, mftbench.plugins; print(os.listdir('.'))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert (result.stdout, result.stderr) == ("[]\n", "")
