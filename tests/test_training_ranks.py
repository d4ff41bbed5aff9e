"""Several ranks started by the stage itself: the same model as on one."""

from __future__ import annotations

import gc
import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from tiny_llama import save_tiny_llama
from training_runs import NAMES, examples, train_spec

from mftbench.contract import Prompt
from mftbench.errors import EngineError, UsageError
from mftbench.progress import Silent
from mftbench.stages import Optim, Parallel
from mftbench.training.arguments import training_arguments
from mftbench.training.ranks import divided, train
from mftbench.training.trainer import MultiTaskTrainer

TWO = Parallel(ranks=2)


def trained(spec, folder):
    out, work = folder / "out", folder / "work"
    for place in (out, work):
        place.mkdir(parents=True, exist_ok=True)
    rows = examples()
    train(spec, rows, {task: Prompt("# {prompt}\n") for task in rows}, out, work, Silent())
    return out


def test_ranks_divide_the_accumulation():
    assert divided(Optim(accumulation=8), TWO).accumulation == 4


def test_ranks_that_do_not_divide_it_are_a_usage_error():
    with pytest.raises(UsageError, match=r"optim.accumulation is 3; parallel.ranks = 2"):
        divided(Optim(accumulation=3), TWO)


def test_more_ranks_than_gpus_are_a_usage_error(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UsageError, match=r"parallel.ranks is 2, .* 1 can be seen here; lower it"):
        trained(replace(train_spec("nano"), parallel=TWO), tmp_path)


def test_a_process_trains_on_one_of_several_gpus(monkeypatch, tmp_path):
    # A machine with eight, as the library asks for them; torch has none to put anything on.
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    assert training_arguments(Optim(), 0, tmp_path, validate=False).n_gpu == 1


def test_a_training_leaves_no_model_in_memory(tmp_path):
    trained(train_spec(save_tiny_llama(tmp_path / "base"), steps=1), tmp_path)
    assert not [each for each in gc.get_objects() if type(each) is MultiTaskTrainer]


@pytest.mark.slow
def test_two_ranks_train_the_model_of_one(tmp_path):
    save_tiny_llama(tmp_path / "base")
    spec = train_spec(tmp_path / "base", lr=1e-3, log_every=1, epochs=1, checkpoint_every=2)
    one = trained(spec, tmp_path / "one")
    two = trained(replace(spec, parallel=TWO), tmp_path / "two")
    left, right = (load_file(out / "model" / "model.safetensors") for out in (one, two))
    for name, weights in left.items():
        torch.testing.assert_close(right[name], weights, rtol=1e-4, atol=1e-6)
    lines = [
        [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        for out in (one, two)
    ]
    for first, second in zip(*lines, strict=True):
        assert second.get("loss", 0) == pytest.approx(first.get("loss", 0), rel=1e-5)
        for task in NAMES:
            name = f"tokens/task/{task}"
            assert second.get(name) == first.get(name)


@pytest.mark.slow
def test_a_rank_that_fails_is_told_in_one_line(tmp_path):
    spec = replace(train_spec(tmp_path / "no-such-model"), parallel=TWO)
    with pytest.raises(EngineError, match=r"training on 2 ranks failed: .*no-such-model"):
        trained(spec, tmp_path)
