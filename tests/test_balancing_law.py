"""The law for every method: gradient, losses and state depend on the global batch alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from balancing_courses import BALANCERS, SPLITS, course
from training_runs import distance


def assert_same(other, whole):
    assert distance(other.gradient, whole.gradient) < 1e-6
    assert other.lines[0] == pytest.approx(whole.lines[0], rel=1e-6)
    # Differences of nearly equal losses, of which some methods learn, have an absolute error.
    assert other.state == pytest.approx(whole.state, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", BALANCERS)
def test_split_does_not_show(name, tmp_path):
    whole = course(tmp_path, name, steps=1)
    for options in SPLITS.values():
        assert_same(course(tmp_path, name, steps=1, **options), whole)


@pytest.mark.parametrize("name", ["coba", "famo", "gradnorm", "pcgrad", "uncertainty"])
def test_split_does_not_show_in_later_steps(name, tmp_path):
    whole = course(tmp_path, name)
    split = course(tmp_path, name, batch=2, accumulation=4)
    for other, line in zip(split.lines, whole.lines, strict=True):
        assert other == pytest.approx(line, rel=2e-5, abs=2e-5)


@pytest.mark.parametrize("name", ["coba", "famo", "gls", "gradnorm", "mgda"])
def test_split_does_not_show_in_the_deferred_way(name, tmp_path):
    whole = course(tmp_path, name, way="deferred")
    split = course(tmp_path, name, batch=2, accumulation=4, way="deferred")
    for other, line in zip(split.lines, whole.lines, strict=True):
        assert other == pytest.approx(line, rel=2e-5, abs=2e-5)


_RANK = """
import pathlib, sys, torch, warnings
sys.path.insert(0, sys.argv[2])
from balancing_courses import BALANCERS, course
out = pathlib.Path(sys.argv[1])
size = {"steps": 1, "rows": 7, "batch": 2, "accumulation": 2, "max_length": 48}
found = {
    (name, padding): course(out, name, padding=padding, **size)
    for name in BALANCERS for padding in ("dynamic", "packed")
}
torch.save(found, out / f"{torch.distributed.get_rank()}.pt")
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_two_ranks_do_not_show_under_any_balancer(tmp_path):
    script = tmp_path / "rank.py"
    script.write_text(_RANK)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", str(script)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    arguments = [str(tmp_path), str(Path(__file__).parent)]
    subprocess.run([*command, *arguments], check=True, env=environment)
    ranks = [torch.load(tmp_path / f"{rank}.pt", weights_only=False) for rank in (0, 1)]
    for name in BALANCERS:
        whole = course(tmp_path, name, steps=1, rows=7)
        for found in ranks:
            for padding in ("dynamic", "packed"):
                assert_same(found[name, padding], whole)
