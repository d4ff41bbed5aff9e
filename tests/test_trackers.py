"""Trackers: named at the edge, inherited by the processes of stages, no part of any key."""

import subprocess
import sys

import pytest

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
