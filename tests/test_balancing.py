"""Balancers against the worked values of MFTCoder's cases, and against the contract."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from training_runs import install_plugin

from mftbench.errors import PluginError, UsageError
from mftbench.stages import Balance
from mftbench.testing.balancer import check_balancer
from mftbench.training.balancing.balancer import BalancedTask, Balancer, task_weights
from mftbench.training.balancing.registry import (
    built_in_balancers,
    code_of,
    find_balancers,
    load_balancer,
    make_balancer,
)
from mftbench.training.balancing.statistics import SAMPLE, BatchStatistics

# Rows A (task 0) with token losses 1, 2, 3, B (task 0) 4, C (task 1) 10, 2.
TASKS = (BalancedTask("first"), BalancedTask("second"))
BATCH = BatchStatistics(torch.tensor([4, 2]), torch.tensor([2, 1]))
TOKEN_MEANS = torch.tensor([10 / 4, 12 / 2], dtype=torch.float64)
SAMPLE_MEANS = torch.tensor([(2 + 4) / 2, 6], dtype=torch.float64)
# Beside what is required, what makes a method leave its start within the check's few steps.
OPTIONS = {
    "fixed_weights": [{"weights": {}}, {"weights": {"sql": 2.0}, "level": "sample"}],
    "coba": [{}, {"warmup": 2, "history": 4}, {"warmup": 3, "interval": 2}],
    "coba_mftcoder": [{}, {"warmup": 2, "history": 4}],
    "dwa": [{}, {"interval": 2}],
    "stch": [{}, {"warmup": 2, "mu": 0.1}],
    "lbtw": [{}, {"interval": 2}],
}
CASES = [(name, options) for name in built_in_balancers() for options in OPTIONS.get(name, [{}])]


def balanced(name, weights=(1.0, 1.0), **options):
    tasks = [BalancedTask(t.name, w) for t, w in zip(TASKS, weights, strict=True)]
    balancer = make_balancer(Balance(name, options), tasks)
    losses = SAMPLE_MEANS if balancer.level is SAMPLE else TOKEN_MEANS
    return balancer(losses, BATCH).item()


@pytest.mark.parametrize(
    ("name", "value"),
    [("token_mean", 22 / 6), ("sample_mean", 4.0), ("task_token", 4.25), ("task_sample", 4.5)],
)
def test_worked_value_of_mftcoders_case(name, value):
    assert balanced(name) == pytest.approx(value)


def test_worked_value_with_weights_of_the_study():
    assert balanced("task_token", weights=(1, 3)) == pytest.approx(5.125)


def test_worked_value_with_weights_of_the_balancer():
    weights = {"first": 1.0, "second": 3.0}
    balancer = make_balancer(Balance("fixed_weights", {"weights": weights}), TASKS)
    assert balancer(TOKEN_MEANS, BATCH).item() == pytest.approx(5.125)


def test_fixed_weights_can_be_of_sample_means():
    options = {"weights": {"second": 3}, "level": "sample"}
    balancer = make_balancer(Balance("fixed_weights", options), TASKS)
    assert balancer(SAMPLE_MEANS, BATCH).item() == pytest.approx((3 + 3 * 6) / 4)


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_balancer_keeps_the_contract(name, options):
    made = load_balancer(name)
    check_balancer(lambda tasks: made(tasks, **options))


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6))
def test_token_mean_weighs_a_task_by_its_share_of_tokens(tokens):
    counts = torch.tensor(tokens)
    balancer = make_balancer(Balance("token_mean"), [BalancedTask(str(i)) for i in tokens])
    losses = torch.ones(len(tokens), dtype=torch.float64)
    weights = task_weights(balancer, losses, BatchStatistics(counts, counts))
    assert torch.allclose(weights, counts.double() / max(sum(tokens), 1))


def test_only_task_of_weight_zero_gives_a_loss_of_zero():
    assert balanced("task_token", weights=(0, 0)) == 0


def test_unknown_balancer_suggests_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'task_token'"):
        load_balancer("task_tokens")


def test_unknown_option_suggests_the_nearest():
    with pytest.raises(UsageError, match="'weight' in balancer 'fixed_weights'; did you mean"):
        make_balancer(Balance("fixed_weights", {"weight": {}}), TASKS)


def test_missing_option_is_named():
    with pytest.raises(UsageError, match="'fixed_weights' needs the option 'weights'"):
        make_balancer(Balance("fixed_weights"), TASKS)


def test_option_of_the_wrong_type_is_named():
    with pytest.raises(UsageError, match=r"option 'level' of balancer 'fixed_weights' is 'row'"):
        make_balancer(Balance("fixed_weights", {"weights": {}, "level": "row"}), TASKS)


def test_weight_of_an_unknown_task_suggests_the_nearest():
    with pytest.raises(UsageError, match=r"unknown task 'frist'.* did you mean 'first'"):
        make_balancer(Balance("fixed_weights", {"weights": {"frist": 1}}), TASKS)


@pytest.mark.parametrize("weight", [-1.0, float("inf"), float("nan")])
def test_weight_must_be_a_finite_share(weight):
    with pytest.raises(UsageError, match="must be finite and >= 0"):
        make_balancer(Balance("fixed_weights", {"weights": {"first": weight}}), TASKS)


def test_installed_balancer_is_found_by_name(tmp_path, monkeypatch):
    install_plugin(tmp_path, f"plain = {built_in_balancers()['token_mean']}")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_balancer("plain") is load_balancer("token_mean")


def test_the_code_of_an_installed_balancer_is_known_without_its_import(tmp_path, monkeypatch):
    install_plugin(tmp_path, "edited = edited_balancer:Other")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "edited_balancer.py").write_text("1 / 0\n")
    before = code_of("edited")
    assert before
    assert code_of("edited") == before
    (tmp_path / "edited_balancer.py").write_text("2 / 0\n")
    assert code_of("edited") != before
    assert code_of("token_mean") is None


def test_an_installed_balancer_without_its_module_is_named(tmp_path, monkeypatch):
    install_plugin(tmp_path, "broken = no_such_module:Other")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError, match=r"'broken' .*: no module 'no_such_module'"):
        code_of("broken")


def test_two_balancers_of_one_name_are_both_named(tmp_path, monkeypatch):
    install_plugin(tmp_path, "token_mean = extra:Other")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        UsageError, match=r"token_mean:BALANCER of mftbench and extra:Other of extra"
    ):
        find_balancers()


def test_balancer_that_cannot_be_imported_is_named(tmp_path, monkeypatch):
    install_plugin(tmp_path, "broken = no_such_module:Other")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError, match=r"balancer 'broken' \(no_such_module:Other of extra\)"):
        load_balancer("broken")


class Careless(Balancer):
    """Weighs absent tasks too."""

    def forward(self, losses, batch):
        return losses.mean()


class Forgetful(Balancer):
    """Learns, and keeps what it learned out of its state."""

    def __init__(self, tasks):
        super().__init__(tasks)
        self.scale = 1.0

    def forward(self, losses, batch):
        return (losses * batch.present).sum() * self.scale

    def after_step(self, probe):
        self.scale *= 0.9


class Undeclared(Balancer):
    """Needs the losses, and does not say so."""

    def forward(self, losses, batch):
        return (losses * batch.present).square().sum()


class Broken(Balancer):
    """Raises what its arithmetic raises."""

    def forward(self, losses, batch):
        return losses @ torch.ones(1, 1)


def test_balancer_that_raises_is_named():
    with pytest.raises(PluginError, match=r"balancer Broken: forward\(\) raised RuntimeError: "):
        task_weights(Broken(TASKS), TOKEN_MEANS, BATCH)


@pytest.mark.parametrize(
    ("balancer", "law"),
    [
        (Careless, "gives weight to a task that is absent"),
        (Forgetful, "loaded with a state_dict continues"),
        (Undeclared, "do not depend on the batch's own losses"),
    ],
)
def test_check_names_the_law_that_is_broken(balancer, law):
    with pytest.raises(PluginError, match=f"{balancer.__name__}.*{law}"):
        check_balancer(balancer)
