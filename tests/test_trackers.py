"""Trackers: named at the edge, inherited by the processes of stages, no part of any key."""

import subprocess
import sys

import pytest
from tiny_llama import save_tiny_llama
from training_runs import run_train, train_spec

from mftbench.errors import UsageError
from mftbench.training import trackers
from mftbench.training.trackers import PACKAGES, VARIABLE, follow


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")


def test_nobody_watches_by_default():
    assert trackers.trackers() == []


def test_trackers_are_inherited_by_processes(monkeypatch):
    monkeypatch.setattr(trackers, "find_spec", lambda name: object())
    follow("tensorboard, mlflow")
    script = "from mftbench.training.trackers import trackers; print(trackers())"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert said.stdout.strip() == "['tensorboard', 'mlflow']"


def test_unknown_tracker_is_named():
    with pytest.raises(UsageError, match="tensorbord"):
        follow("tensorbord")


def test_absent_tracker_is_named_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="--report-to wandb: it is not installed; pip install"):
        follow("wandb")


@pytest.mark.parametrize("name", PACKAGES)
def test_library_knows_every_tracker_by_its_name(name):
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    assert name in INTEGRATION_TO_CALLBACK


def test_what_tensorboard_was_told_stays_with_the_artifact(tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    monkeypatch.setenv(VARIABLE, "tensorboard")
    model = save_tiny_llama(tmp_path / "tiny")
    artifact = run_train(train_spec(model, steps=2, log_every=1), tmp_path / "out", tmp_path / "w")
    assert list((artifact / "runs").rglob("events*"))
