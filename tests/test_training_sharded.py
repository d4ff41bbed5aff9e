"""Parameters sharded over two ranks (FSDP2 over gloo): the same model as on one rank."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from test_training_ranks import trained
from tiny_llama import save_tiny_llama
from training_runs import distance, first_step, token_rows, train_spec

from mftbench.errors import EngineError, UsageError
from mftbench.stages import Adapter, Balance, Parallel
from mftbench.study import parse_study
from mftbench.training import ranks
from mftbench.training.sharding import check_parallel, parallel_arguments

SHARDED = Parallel(ranks=2, kind="fsdp2")
STAGE_TWO = {"zero_optimization": {"stage": 2}, "train_micro_batch_size_per_gpu": "auto"}
# From the losses alone, before the backward pass, and of gradients of representations.
BALANCERS = ["token_mean", "task_token", "famo", "imtl"]

_RANK = """
import pathlib, sys, torch
sys.path.insert(0, sys.argv[2])
from training_runs import first_step, make_trainer, tiny_llama, token_rows
from mftbench.stages import Parallel
out, sharded = pathlib.Path(sys.argv[1]), Parallel(ranks=2, kind="fsdp2")
for balancer in sys.argv[3:]:
    model = tiny_llama()
    options = {"batch": 2, "accumulation": 2, "balancer": balancer, "parallel": sharded}
    gradient, line = first_step(out, token_rows(7), model=model, grad_clip=1.0, **options)
    # A pass that only measures leaves the head whole until the next backward pass.
    [module.reshard() for module in model.modules() if hasattr(module, "reshard")]
    held = [p.to_local().numel() / p.numel() for p in model.parameters()]
    rank = torch.distributed.get_rank()
    torch.save((gradient, line, held), out / f"{balancer}-{rank}.pt")
torch.distributed.destroy_process_group()
"""


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """The first steps of two ranks that hold a half each, by balancer."""
    folder = tmp_path_factory.mktemp("ranks")
    script = folder / "rank.py"
    script.write_text(_RANK)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    arguments = ["--nproc-per-node=2", script, folder, Path(__file__).parent, *BALANCERS]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    run = [*command, *map(str, arguments)]
    subprocess.run(run, check=True, env=environment, capture_output=True)
    return lambda balancer, rank: torch.load(folder / f"{balancer}-{rank}.pt")


@pytest.mark.slow
@pytest.mark.parametrize("balancer", BALANCERS)
def test_shards_do_not_show(balancer, steps, tmp_path):
    whole, line = first_step(tmp_path, token_rows(7), batch=8, balancer=balancer, grad_clip=1.0)
    for rank in (0, 1):
        gradient, sharded, _ = steps(balancer, rank)
        assert distance(gradient, whole) < 1e-6
        for name, value in line.items():
            if name.startswith(("loss", "weight", "grad_norm")):
                assert sharded[name] == pytest.approx(value, rel=1e-6)


@pytest.mark.slow
def test_each_rank_holds_half_of_every_matrix(steps):
    for rank in (0, 1):
        held = steps("token_mean", rank)[2]
        assert held == pytest.approx([0.5] * len(held))


def weights(artifact):
    (file,) = (artifact / "model").glob("*.safetensors")
    return load_file(file)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("adapter", "options"),
    [
        (Adapter(), {}),
        (Adapter("lora", rank=4, alpha=8), {"padding": "packed", "keep": "best", "eval_every": 3}),
        (Adapter("poly", rank=4, alpha=8), {"padding": "packed"}),
    ],
    ids=["full", "lora", "poly"],
)
def test_sharded_training_saves_the_model_of_one_rank(adapter, options, tmp_path):
    save_tiny_llama(tmp_path / "base")
    spec = train_spec(tmp_path / "base", adapter=adapter, lr=1e-3, epochs=1, **options)
    one = trained(spec, tmp_path / "one")
    two = trained(replace(spec, parallel=SHARDED), tmp_path / "two")
    left, right = weights(one), weights(two)
    assert left.keys() == right.keys()
    for name, tensor in left.items():
        torch.testing.assert_close(right[name], tensor, rtol=1e-4, atol=1e-6)
    files = [sorted(p.relative_to(out) for p in out.rglob("*.*")) for out in (one, two)]
    assert files[0] == files[1]
    config = {out: (out / "model").glob("*config.json") for out in (one, two)}
    texts = [{path.name: path.read_text() for path in paths} for paths in config.values()]
    assert texts[0] == texts[1]


@pytest.mark.slow
def test_frozen_bfloat16_base_is_sharded_with_float32_adapters(tmp_path):
    save_tiny_llama(tmp_path / "base")
    adapter = Adapter("lora", rank=4, alpha=8)
    spec = train_spec(tmp_path / "base", adapter=adapter, lr=1e-3, steps=2, dtype="bfloat16")
    one = trained(spec, tmp_path / "one")
    two = trained(replace(spec, parallel=SHARDED), tmp_path / "two")
    left, right = weights(one), weights(two)
    for name, tensor in left.items():
        assert right[name].dtype is torch.float32
        torch.testing.assert_close(right[name], tensor, rtol=0.05, atol=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("adapter", [Adapter(), Adapter("lora", rank=4, alpha=8, dropout=0.1)])
def test_resumed_sharded_training_ends_with_the_same_bytes(adapter, tmp_path):
    save_tiny_llama(tmp_path / "base")
    spec = train_spec(
        tmp_path / "base", adapter=adapter, balance=Balance("famo"), epochs=1, checkpoint_every=2
    )
    spec = replace(spec, parallel=SHARDED)
    whole = trained(spec, tmp_path / "whole")
    # Its work folder still has the checkpoint of step 4 of 6.
    (tmp_path / "again").mkdir()
    (tmp_path / "whole" / "work").rename(tmp_path / "again" / "work")
    resumed = trained(spec, tmp_path / "again")
    assert json.loads((resumed / "card.json").read_text())["resumed_from_step"] == 4
    for left, right in zip(
        *(sorted((o / "model").iterdir()) for o in (whole, resumed)), strict=True
    ):
        assert left.read_bytes() == right.read_bytes()


@pytest.mark.slow
def test_balancer_that_keeps_gradients_apart_refuses_shards_in_one_line(tmp_path):
    save_tiny_llama(tmp_path / "base")
    spec = train_spec(tmp_path / "base", balance=Balance("pcgrad"), steps=1)
    with pytest.raises(EngineError, match=r"whole parameters.*set it to 'ddp'"):
        trained(replace(spec, parallel=SHARDED), tmp_path)


def test_one_rank_has_nothing_to_shard():
    assert parallel_arguments(Parallel(kind="fsdp2"), 1) == {}
    assert parallel_arguments(SHARDED, 2)["fsdp"]


def test_deepspeed_configuration_is_handed_over_as_it_is(monkeypatch):
    monkeypatch.setattr("mftbench.training.sharding.find_spec", lambda name: object())
    parallel = Parallel(ranks=2, kind="deepspeed", deepspeed=STAGE_TWO)
    monkeypatch.setattr("torch.accelerator.is_available", lambda: False)
    with pytest.raises(UsageError, match="needs a GPU"):
        parallel_arguments(parallel, 2)
    monkeypatch.setattr("torch.accelerator.is_available", lambda: True)
    assert parallel_arguments(parallel, 2) == {"deepspeed": STAGE_TWO}


def test_deepspeed_that_is_not_installed_ends_the_stage_before_any_rank(tmp_path, monkeypatch):
    monkeypatch.setattr("mftbench.training.sharding.find_spec", lambda name: None)
    parallel = Parallel(ranks=2, kind="deepspeed", deepspeed=STAGE_TWO)
    spec = replace(train_spec("nano"), parallel=parallel)
    with pytest.raises(UsageError, match="needs deepspeed; pip install deepspeed"):
        trained(spec, tmp_path)
    assert not (tmp_path / "work" / ranks._INPUTS).exists()


@pytest.mark.parametrize(
    ("parallel", "fault"),
    [
        (Parallel(ranks=0), "parallel.ranks is 0; at least 1"),
        (Parallel(deepspeed=STAGE_TWO), "parallel.deepspeed is given, but parallel.kind is 'ddp'"),
        (Parallel(kind="deepspeed"), "parallel.deepspeed is empty"),
    ],
)
def test_settings_that_do_not_go_together_are_named(parallel, fault):
    with pytest.raises(UsageError, match=fault.replace(".", r"\.")):
        check_parallel(parallel)


def test_study_names_the_setting_before_anything_is_made():
    raw = {"name": "s", "models": ["nano"], "tasks": ["sql"], "parallel": {"kind": "deepspeed"}}
    with pytest.raises(UsageError, match=r"here: parallel.kind is 'deepspeed'"):
        parse_study(raw, "here")


def test_study_reads_a_deepspeed_configuration():
    parallel = {"kind": "deepspeed", "deepspeed": STAGE_TWO}
    raw = {"name": "s", "models": ["nano"], "tasks": ["sql"], "parallel": parallel}
    assert json.loads(json.dumps(dict(parse_study(raw, "here").parallel.deepspeed))) == STAGE_TWO
