"""Whole runs under every balancer: resumed to the bit, tasks that come and go, both ways."""

import json
import random

import pytest
import torch
from balancing_courses import BALANCERS, OPTIONS, balancer_named, course, state_of
from tiny_llama import save_tiny_llama
from training_runs import (
    TASKS,
    CutAt,
    GradientKeeper,
    LogMean,
    Power,
    distance,
    examples,
    make_trainer,
    run_train,
    tiny_llama,
    token_rows,
    train_spec,
)

from mftbench.errors import UsageError
from mftbench.stages import Balance
from mftbench.training.balancing.balancer import Balancer
from mftbench.training.tokens import TokenRow

DEFERRED = ["coba", "famo", "gls", "gradnorm", "mgda"]
STATEFUL = [name for name in BALANCERS if balancer_named(name).state_dict()]
CONFIGURED = [(name, "exact") for name in BALANCERS] + [(name, "deferred") for name in DEFERRED]
RESUMED = [(name, "exact") for name in STATEFUL] + [(name, "deferred") for name in DEFERRED]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


def balanced_spec(model, name, way="exact", **optim):
    options = OPTIONS.get(name, {})
    return train_spec(model, balance=Balance(name, options, way=way), valid_share=0.2, **optim)


def weights(artifact):
    (file,) = (artifact / "model").glob("*.safetensors")
    return file.read_bytes()


def card(artifact):
    return json.loads((artifact / "card.json").read_text())


@pytest.mark.parametrize(("name", "way"), RESUMED, ids=str)
def test_run_killed_at_any_step_resumes_to_the_same_bytes(model, name, way, tmp_path):
    spec = balanced_spec(model, name, way, checkpoint_every=1, steps=4, batch=2)
    whole = run_train(spec, tmp_path / "whole", tmp_path / "work-whole")
    step = random.Random(name + way).randint(2, 4)
    with pytest.raises(Power):
        run_train(spec, tmp_path / "cut", tmp_path / "work", progress=CutAt(step))
    resumed = run_train(spec, tmp_path / "out", tmp_path / "work")
    assert card(resumed)["resumed_from_step"] == step - 1
    assert weights(resumed) == weights(whole)
    assert card(resumed)["run"] == card(whole)["run"]


def rare_rows():
    """Many rows of one task, one of another, some of a third that come late, some unsupervised."""
    rows = [row for row in token_rows(24) if row.task == 0]
    nothing = [TokenRow(1, [5, 6, 7], 3)] * 2
    return [*rows, TokenRow(2, [5, 6, 7, 8], 2), *nothing, *([TokenRow(1, [9, 8, 7], 1)] * 2)]


@pytest.mark.parametrize(("name", "way"), CONFIGURED, ids=str)
def test_rare_and_absent_tasks_train_without_nan(name, way, tmp_path):
    trainer = make_trainer(
        tmp_path,
        rare_rows(),
        balancer=balancer_named(name),
        way=way,
        valid=[TokenRow(0, [3, 4, 5], 1)],
        steps=7,
        batch=1,
        accumulation=2,
        lr=1e-2,
    )
    trainer.train()
    lines = [line for line in trainer.state.log_history if "loss" in line]
    assert all(torch.isfinite(p).all() for p in trainer.module.parameters())
    assert torch.isfinite(torch.tensor(state_of(trainer))).all()
    for line in lines:
        for task in ("completion", "sql", "translation"):
            assert line[f"tokens/task/{task}"] or line[f"weight/task/{task}"] == 0


def test_unsupervised_rows_are_counted_under_any_balancer(model, tmp_path):
    rows = examples((12, 6))
    artifact = run_train(
        balanced_spec(model, "famo", steps=2, max_length=32),
        tmp_path / "out",
        tmp_path / "work",
        rows=rows,
    )
    for counts in card(artifact)["rows"].values():
        parts = ("train", "valid", "dropped", "unsupervised")
        assert counts["read"] == sum(counts[part] for part in parts)


# ------------------------------------------------------------ exact and deferred


def first_gradient(trainer):
    keeper = GradientKeeper()
    trainer.add_callback(keeper)
    trainer.train()
    return keeper.gradient


class Recorder(Balancer):
    """Keeps what it is told, and when."""

    needs_losses = True

    def __init__(self, tasks):
        super().__init__(tasks)
        self.weighed, self.learned, self.after = [], [], []

    def forward(self, losses, batch):
        self.weighed.append(losses.detach().clone())
        return (losses * batch.present).sum()

    def after_step(self, probe):
        self.learned.append((probe.step, probe.losses))
        self.after.append(probe.losses_after())


def told(tmp_path, way, **options):
    trainer = make_trainer(
        tmp_path,
        token_rows(),
        balancer=Recorder(TASKS),
        way=way,
        steps=3,
        lr=1e-2,
        warmup=0.0,
        **options,
    )
    trainer.train()
    return trainer.recipe.balancer, trainer.steps


def test_exact_way_weighs_a_batch_by_its_own_losses(tmp_path):
    recorder, steps = told(tmp_path, "exact", batch=2, accumulation=4)
    for weighed, (_, losses) in zip(recorder.weighed, recorder.learned, strict=True):
        assert torch.allclose(weighed, losses, rtol=1e-6)
    assert steps.measured_first == 3


def test_exact_way_of_one_micro_batch_adds_no_pass(tmp_path):
    recorder, steps = told(tmp_path, "exact", batch=8)
    for weighed, (_, losses) in zip(recorder.weighed, recorder.learned, strict=True):
        assert torch.equal(weighed, losses)
    assert steps.measured_first == 0


def test_deferred_way_weighs_a_batch_by_the_losses_of_the_one_before(tmp_path):
    recorder, steps = told(tmp_path, "deferred", batch=2, accumulation=4)
    assert steps.measured_first == 1  # nothing was known before the first step
    assert torch.equal(recorder.weighed[1], recorder.learned[0][1])
    assert torch.equal(recorder.weighed[2], recorder.learned[1][1])


def test_deferred_way_learns_a_step_late_from_the_losses_that_followed(tmp_path):
    recorder, _ = told(tmp_path, "deferred", batch=2, accumulation=4)
    assert [step for step, _ in recorder.learned] == [1, 2]
    assert torch.equal(recorder.after[0], recorder.learned[1][1])


@pytest.mark.parametrize("name", ["rlw", "uncertainty", "dwa"])
def test_weights_known_before_the_batch_are_the_same_in_both_ways(name, tmp_path):
    options = {"batch": 2, "accumulation": 4, "steps": 4, "lr": 1e-2}
    ends = []
    for way in ("exact", "deferred"):
        torch.manual_seed(0)
        trainer = make_trainer(tmp_path / way, token_rows(24), balancer=name, way=way, **options)
        trainer.train()
        ends.append(torch.cat([each.flatten() for each in trainer.model.parameters()]))
    assert torch.equal(*ends)


def test_card_says_which_way_ran(model, tmp_path):
    artifact = run_train(
        balanced_spec(model, "gls", "deferred", steps=3), tmp_path / "out", tmp_path / "work"
    )
    balance = card(artifact)["run"]["balance"]
    assert (balance["scope"], balance["way"]) == ("global", "deferred")
    assert 1 <= balance["measured_first"] < 3  # until both tasks were seen


def test_labels_tell_ways_and_scopes_apart():
    settings = [Balance("famo"), Balance("famo", way="deferred"), Balance("famo", scope="micro")]
    assert len({balance.label for balance in settings}) == 3


@pytest.mark.parametrize(
    ("name", "setting", "message"),
    [
        ("pcgrad", {"way": "deferred"}, "keeps gradients apart in any case"),
        ("gradnorm", {"scope": "micro"}, "give it the scope 'global'"),
        ("famo", {"scope": "micro", "way": "deferred"}, "has nothing to defer"),
    ],
)
def test_way_that_a_method_cannot_work_in_is_named(name, setting, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        make_trainer(tmp_path, token_rows(), balancer=name, **setting)


@pytest.mark.parametrize("name", ["task_token", "task_sample", "focal_task", "gls", "focal_sample"])
def test_micro_scope_shows_mftcoders_deviation(name, tmp_path):
    whole = course(tmp_path, name, steps=1, scope="micro")
    split = course(tmp_path, name, steps=1, scope="micro", batch=1, accumulation=8)
    assert distance(split.gradient, whole.gradient) > 0.02


def test_measuring_first_sees_the_dropout_of_training(tmp_path):
    def gradient(**split):
        trainer = make_trainer(
            tmp_path,
            token_rows(),
            balancer=Recorder(TASKS),
            model=tiny_llama(attention_dropout=0.5),
            steps=3,
            **split,
        )
        trainer.train()
        return trainer.recipe.balancer

    recorder = gradient(batch=2, accumulation=4)
    for weighed, (_, losses) in zip(recorder.weighed, recorder.learned, strict=True):
        assert torch.allclose(weighed, losses, rtol=1e-6)


def test_log_mean_weights_are_exact_under_packing(tmp_path):
    trainers = [
        make_trainer(tmp_path, token_rows(), balancer=LogMean(TASKS), **options)
        for options in ({"batch": 8}, {"batch": 8, "padding": "packed", "max_length": 48})
    ]
    left, right = map(first_gradient, trainers)
    assert distance(left, right) < 1e-6
