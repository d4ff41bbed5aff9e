"""The Ray launcher on a cluster of two nodes of this machine: same bytes, whatever dies."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_kills import Case, TwoNodes, deal
from test_launching_emit import TINY, mftbench

from mftbench.testing.launcher import check_launcher

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs_ray,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves its log files open
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # of Ray, about GPUs where there are none
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

KINDS = ["worker", "node", "driver"]


@pytest.fixture
def two_nodes(tmp_path) -> Iterator[TwoNodes]:
    nodes = TwoNodes(tmp_path / "caches")
    yield nodes
    nodes.cluster.shutdown()


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY.format(changes='sandbox = "bubblewrap"'))
    return path


def alone(tiny: Path, folder: Path) -> bytes:
    mftbench("run", tiny, "--store", "alone", "--board", "expected", folder=folder)
    return (folder / "expected" / "results.jsonl").read_bytes()


def test_the_ray_launcher_keeps_its_promises():
    from mftbench.launching.ray_cluster import RayLauncher

    check_launcher(RayLauncher())


@pytest.mark.needs_bubblewrap
def test_a_study_on_two_nodes_ends_with_the_same_bytes_whatever_was_killed(
    two_nodes, tiny, tmp_path
):
    def new_case(number: int) -> Case:
        folder = tmp_path / f"round-{number}"
        return Case([str(tiny)], str(folder / "store"), two_nodes.address, folder)

    hits = random.sample(KINDS, len(KINDS))
    dealt = deal(new_case, hits, two_nodes, None, alone(tiny, tmp_path), (2, 10))
    assert (dealt.equal, dealt.made_twice) == (True, [])


@pytest.mark.needs_bubblewrap
@pytest.mark.needs_s3
def test_nodes_that_share_only_an_s3_server_end_with_the_same_bytes(s3, tiny, tmp_path):
    nodes = TwoNodes(tmp_path / "caches")  # after the server, whose address they inherit

    def new_case(number: int) -> Case:
        return Case([str(tiny)], s3.url(f"{number}"), nodes.address, tmp_path / f"round-{number}")

    hits = [*random.sample(KINDS, len(KINDS)), "server"]
    try:
        dealt = deal(new_case, hits, nodes, s3, alone(tiny, tmp_path), (2, 10))
    finally:
        nodes.cluster.shutdown()
    assert (dealt.equal, dealt.made_twice) == (True, [])
