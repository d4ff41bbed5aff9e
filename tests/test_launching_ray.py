"""The Ray launcher on a cluster of two nodes of this machine: same bytes, whatever dies."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_launching_emit import TINY, mftbench

from mftbench.testing.launcher import check_launcher

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs_ray,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves its log files open
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # of Ray, about GPUs where there are none
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


class TwoNodes:
    """A head without processors, and two nodes with one each that can be taken away."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        self.nodes = [self.add(), self.add()]
        self.address = self.cluster.address

    def add(self) -> object:
        return self.cluster.add_node(num_cpus=1, resources={"bubblewrap": 1})

    def lose_one(self) -> None:
        """Take a node away with all that runs on it, and bring a fresh one."""
        self.cluster.remove_node(self.nodes.pop(0), allow_graceful=False)
        self.nodes.append(self.add())


@pytest.fixture
def two_nodes() -> Iterator[TwoNodes]:
    nodes = TwoNodes()
    yield nodes
    nodes.cluster.shutdown()


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY.format(changes='sandbox = "bubblewrap"'))
    return path


def drive(tiny: Path, address: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start a driver; the store and the board are the same every time."""
    where = ("--store", str(folder / "store"), "--board", str(folder / "board"))
    how = ("--launcher", "ray", "--address", address)
    command = [sys.executable, "-m", "mftbench", "run", str(tiny), *where, *how]
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def stages() -> list[int]:
    """Find the processes of this user that make a unit of work of these tests."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"stage" in command and any(b"test_" in part for part in command):
            found.append(int(folder.name))
    return found


def kill_a_stage() -> None:
    for pid in random.sample(stages(), k=min(1, len(stages()))):
        os.kill(pid, signal.SIGKILL)


def published(folder: Path) -> dict[str, int]:
    paths = (folder / "store").glob("*/*/spec.json")
    return {str(path.parent): path.stat().st_ino for path in paths if "work" not in path.parts}


def test_the_ray_launcher_keeps_its_promises():
    from mftbench.launching.ray_cluster import RayLauncher

    check_launcher(RayLauncher())


@pytest.mark.needs_bubblewrap
def test_a_study_on_two_nodes_ends_with_the_same_bytes_whatever_was_killed(
    two_nodes, tiny, tmp_path
):
    mftbench("run", tiny, "--store", "alone", "--board", "expected", folder=tmp_path)
    before: dict[str, int] = {}
    for hit in (kill_a_stage, two_nodes.lose_one, None):
        driver = drive(tiny, two_nodes.address, tmp_path)
        time.sleep(random.uniform(8, 16))
        if hit:
            hit()
            time.sleep(3)
        if driver.poll() is None:
            os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
        now = published(tmp_path)
        assert all(now.get(path) == inode for path, inode in before.items())
        before = now
    last = drive(tiny, two_nodes.address, tmp_path)
    assert last.wait(300) == 0, (tmp_path / "log.txt").read_text()
    expected = (tmp_path / "expected" / "results.jsonl").read_bytes()
    assert (tmp_path / "board" / "results.jsonl").read_bytes() == expected
