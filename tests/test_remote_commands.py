"""Commands on a store behind a URL: nodes with caches of their own end with the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_launching_emit import TINY

pytestmark = [pytest.mark.slow, pytest.mark.needs_bubblewrap, pytest.mark.needs_s3]


def on_node(node: Path, *arguments: object) -> str:
    """Run a command on a node, that is, with a cache that no other node has."""
    command = [sys.executable, "-m", "mftbench", *map(str, arguments)]
    environment = os.environ | {"MFTBENCH_CACHE": str(node)}
    result = subprocess.run(command, capture_output=True, text=True, cwd=node, env=environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture
def nodes(tmp_path):
    folders = [tmp_path / name for name in ("driver", "one", "two")]
    for folder in folders:
        folder.mkdir()
    return folders


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY.format(changes='sandbox = "bubblewrap"'))
    return path


def test_emitted_units_run_on_nodes_without_a_common_file_system(s3, nodes, tiny, tmp_path):
    driver, one, two = nodes
    on_node(driver, "run", tiny, "--store", tmp_path / "alone", "--board", tmp_path / "expected")
    board = tmp_path / "board"
    emitted = ("--store", s3.url("tiny"), "--board", board, "--emit", "commands")
    lines = on_node(driver, "plan", tiny, *emitted).splitlines()
    for number, line in enumerate(lines):
        node = (one, two)[number % 2]
        subprocess.run(line, shell=True, check=True, env=os.environ | {"MFTBENCH_CACHE": str(node)})
    rows = (board / "results.jsonl").read_bytes()
    assert rows == (tmp_path / "expected" / "results.jsonl").read_bytes()
    trained = [list(node.glob("*/train/*")) for node in nodes]
    assert not trained[0]  # who plans and collects needs no weights
    stored = [
        json.loads(line)["stored"]
        for line in on_node(driver, "plan", tiny, "--store", s3.url("tiny"), "--json").splitlines()
    ]
    assert all(all(cell.values()) for cell in stored)
    key = json.loads(rows.splitlines()[-1])["keys"]["score"]
    assert "train" in on_node(driver, "show", key, "--store", s3.url("tiny"))
    assert not list(driver.glob("*/train/*"))


def test_a_run_on_s3_has_the_bytes_of_a_run_in_a_folder(s3, nodes, tiny, tmp_path):
    driver, one, _ = nodes
    on_node(driver, "run", tiny, "--store", tmp_path / "alone", "--board", tmp_path / "expected")
    on_node(driver, "run", tiny, "--store", s3.url("tiny"), "--board", tmp_path / "first")
    on_node(one, "run", tiny, "--store", s3.url("tiny"), "--board", tmp_path / "second")
    boards = [
        (tmp_path / name / "results.jsonl").read_bytes() for name in ("expected", "first", "second")
    ]
    assert boards[0] == boards[1] == boards[2]
    assert not list(one.glob("*/train/*"))  # nothing was made again, so nothing was needed for it
