"""The guide's balancer is real: it is checked, registered and trained with as the guide says."""

import importlib
import json
import re
from pathlib import Path

import pytest
import torch
from tiny_llama import save_tiny_llama
from training_runs import TASKS, install_plugin, run_train, train_spec

from mftbench.stages import Balance
from mftbench.testing.balancer import check_balancer
from mftbench.training.balancing.balancer import Probe, task_weights
from mftbench.training.balancing.registry import make_balancer
from mftbench.training.balancing.statistics import BatchStatistics

GUIDE = Path(__file__).parent.parent / "docs" / "guides" / "add-a-balancer.md"


@pytest.fixture
def slowest_first(tmp_path, monkeypatch):
    source = re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)[1]
    install_plugin(tmp_path, "slowest_first = slowest_first:SlowestFirst")
    (tmp_path / "slowest_first.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(importlib.sys.modules, "slowest_first", raising=False)
    return importlib.import_module("slowest_first").SlowestFirst


def test_guides_balancer_is_about_forty_lines(slowest_first):
    source = re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)[1]
    assert len(source.splitlines()) <= 45


def test_guides_balancer_keeps_the_contract(slowest_first):
    check_balancer(slowest_first)


def test_guides_balancer_weighs_the_slowest_task_most(slowest_first):
    balancer, counts = slowest_first(TASKS), torch.tensor([1, 1, 1])
    batch = BatchStatistics(counts, counts)
    for losses in ([2.0, 2.0, 2.0], [0.5, 1.9, 1.0]):
        losses = torch.tensor(losses, dtype=torch.float64)
        balancer.after_step(Probe(1, losses, batch, lambda losses=losses: losses))
    weights = task_weights(balancer, losses, batch)
    assert weights.argsort().tolist() == [0, 2, 1]


def test_guides_options_are_checked_against_its_constructor(slowest_first):
    options = {"temperature": 0.3}
    assert make_balancer(Balance("slowest_first", options), TASKS).temperature == 0.3


def test_study_can_train_with_the_guides_balancer(slowest_first, tmp_path):
    model = save_tiny_llama(tmp_path / "tiny")
    spec = train_spec(model, balance=Balance("slowest_first"), steps=4)
    card = json.loads((run_train(spec, tmp_path / "o", tmp_path / "w") / "card.json").read_text())
    assert card["run"]["steps"] == 4
