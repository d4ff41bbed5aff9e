"""Early stopping, the best and the last weights, and the curves that a card shows."""

import json

import pytest
from test_training import CutAt, Power, card, weights
from tiny_llama import save_tiny_llama
from training_runs import run_train, train_spec

from mftbench.errors import UsageError
from mftbench.stages import Adapter
from mftbench.training.stopping import STOPS, curves


def log(*losses, name="eval_loss"):
    return [{"step": 10 * (index + 1), name: loss} for index, loss in enumerate(losses)]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize(
    ("losses", "best", "stalled"),
    [
        ((3, 2, 1), 30, None),
        ((3, 2, 2, 2), 20, 40),
        ((3, 4, 2, 5, 6), 30, 50),
        ((1,), 10, None),
    ],
)
def test_curve_has_its_best_and_the_step_of_its_stall(losses, best, stalled):
    curve = curves(log(*losses), patience=2)["eval_loss"]
    assert (curve.best_step, curve.stalled) == (best, stalled)


def test_without_validations_there_are_no_curves():
    assert curves([{"step": 1, "loss": 2.0}], 1) == {}


def test_all_tasks_must_stall_before_a_training_stops_by_tasks():
    lines = [*log(1, 2, 3), *log(1, 2, 3, name="eval_loss/task/a")]
    assert STOPS["tasks"](curves(lines, 2))
    assert not STOPS["tasks"](curves([*lines, *log(3, 2, 1, name="eval_loss/task/b")], 2))


LORA = Adapter("lora", rank=4, alpha=8)
DIVERGE = {"lr": 0.3, "warmup": 0.0, "schedule": "constant", "epochs": 8, "eval_every": 2}


def stopping_spec(model, **optim):
    return train_spec(model, adapter=LORA, valid_share=0.3, stop="aggregate", patience=2, **optim)


def test_training_stops_when_patience_runs_out(model, tmp_path):
    out = run_train(stopping_spec(model, **DIVERGE), tmp_path / "out", tmp_path / "work")
    curve = card(out)["curves"]["eval_loss"]
    assert curve["stalled"] == curve["steps"][-1] == card(out)["run"]["steps"]
    assert card(out)["run"]["steps"] < 40  # eight epochs


def test_resumed_run_stops_where_the_whole_one_does(model, tmp_path):
    spec = stopping_spec(model, checkpoint_every=2, keep="best", **DIVERGE)
    whole = run_train(spec, tmp_path / "whole", tmp_path / "work-whole")
    with pytest.raises(Power):
        run_train(spec, tmp_path / "cut", tmp_path / "work", progress=CutAt(5))
    resumed = run_train(spec, tmp_path / "out", tmp_path / "work")
    assert card(resumed)["resumed_from_step"] == 4
    assert card(resumed)["curves"] == card(whole)["curves"]
    assert weights(resumed) == weights(whole)


def test_best_weights_become_the_model_and_the_last_stand_beside(model, tmp_path):
    spec = stopping_spec(model, keep="best", **DIVERGE)
    out = run_train(spec, tmp_path / "out", tmp_path / "work")
    curve = card(out)["curves"]["eval_loss"]
    assert curve["best_step"] < curve["steps"][-1]
    best, last = out / "model", out / "last"
    assert (best / "adapter_model.safetensors").read_bytes() != (
        last / "adapter_model.safetensors"
    ).read_bytes()
    short = train_spec(
        model, adapter=LORA, valid_share=0.3, **(DIVERGE | {"steps": curve["best_step"]})
    )
    assert weights(run_train(short, tmp_path / "short", tmp_path / "w")) == weights(out)


def test_stopping_without_validations_is_named(model, tmp_path):
    with pytest.raises(UsageError, match=r"set optim\.eval_every"):
        run_train(train_spec(model, stop="tasks"), tmp_path / "out", tmp_path / "work")


@pytest.mark.parametrize("setting", [{"stop": "aggregate"}, {"keep": "best"}], ids=str)
def test_stopping_without_validation_rows_is_named(model, setting, tmp_path):
    spec = train_spec(model, eval_every=2, valid_share=0.0, **setting)
    with pytest.raises(UsageError, match=r"no validation rows; raise optim\.valid_share"):
        run_train(spec, tmp_path / "out", tmp_path / "work")


def test_model_config_of_best_and_last_allow_a_cache(model, tmp_path):
    spec = train_spec(model, keep="best", eval_every=2, steps=4, valid_share=0.3)
    out = run_train(spec, tmp_path / "out", tmp_path / "work")
    folders = [folder for folder in (out / "model", out / "last") if folder.is_dir()]
    configs = [json.loads((folder / "config.json").read_text()) for folder in folders]
    assert [config["use_cache"] for config in configs] == [True] * len(configs)
