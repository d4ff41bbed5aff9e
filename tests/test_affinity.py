"""Task affinity: cosines of the tasks' gradients, over a training and as a report."""

import json

import numpy as np
import pytest
import torch
from tiny_llama import save_tiny_llama
from training_runs import make_trainer, run_train, tiny_llama, token_rows, train_spec

from mftbench.training.affinity import Affinity, suggest_groups


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


def measured(*gradients, tasks=("a", "b", "c")):
    affinity = Affinity(tasks, every=1)
    for step, rows in enumerate(gradients):
        rows = torch.tensor(rows, dtype=torch.float64)
        affinity.add(step + 1, rows @ rows.T)
    return affinity.report()


def test_cosines_are_those_of_the_gradients():
    report = measured([[3.0, 0.0], [1.0, 1.0], [-2.0, 0.0]])
    expected = [[1, 0.5**0.5, -1], [0.5**0.5, 1, -(0.5**0.5)], [-1, -(0.5**0.5), 1]]
    assert np.allclose(report["steps"][0]["cosine"], expected)


def test_absent_task_has_no_cosine_and_is_left_out_of_the_mean():
    report = measured([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    assert report["steps"][1]["cosine"][0][1] is None
    assert report["mean"][0][1] == 1.0


def test_conflicts_are_shares_of_steps():
    report = measured([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    shares = {tuple(item["tasks"]): item["share_of_steps"] for item in report["conflicts"]}
    assert shares == {("a", "b"): 0.5, ("a", "c"): 0.0, ("b", "c"): 0.0}


def test_tasks_that_agree_are_grouped_and_opposed_ones_are_not():
    mean = np.array([[1, 0.8, -0.3], [0.8, 1, -0.2], [-0.3, -0.2, 1]])
    assert suggest_groups(mean, ["a", "b", "c"]) == [["a", "b"], ["c"]]


def test_tasks_at_right_angles_are_not_grouped():
    assert suggest_groups(np.eye(2), ["a", "b"]) == [["a"], ["b"]]


def test_only_task_is_its_own_group():
    assert suggest_groups(np.eye(1), ["a"]) == [["a"]]


def test_report_is_written_where_it_was_asked_for(model, tmp_path):
    spec = train_spec(model, steps=5, affinity_every=2)
    artifact = run_train(spec, tmp_path / "out", tmp_path / "work")
    report = json.loads((artifact / "affinity.json").read_text())
    assert report["tasks"] == ["completion", "sql"]
    assert [step["step"] for step in report["steps"]] == [1, 3, 5]


def test_no_report_is_written_otherwise(model, tmp_path):
    artifact = run_train(train_spec(model, steps=2), tmp_path / "out", tmp_path / "work")
    assert not (artifact / "affinity.json").exists()


def test_measuring_affinity_does_not_change_the_training(tmp_path):
    weights = []
    for every in (0, 1):
        trainer = make_trainer(
            tmp_path,
            token_rows(),
            model=tiny_llama(attention_dropout=0.3),
            affinity_every=every,
            steps=3,
            lr=1e-2,
        )
        trainer.train()
        weights.append(torch.cat([p.flatten() for p in trainer.module.parameters()]))
    assert torch.equal(*weights)


def test_affinity_is_that_of_the_global_batch(tmp_path):
    reports = []
    for batch, accumulation in ((8, 1), (2, 4)):
        trainer = make_trainer(
            tmp_path, token_rows(), batch=batch, accumulation=accumulation, affinity_every=1
        )
        trainer.train()
        reports.append(trainer.affinity.report()["mean"])
    assert np.allclose(*reports, rtol=1e-5, atol=1e-6)


def test_affinity_travels_in_checkpoints(tmp_path):
    trainer = make_trainer(tmp_path, token_rows(), affinity_every=1)
    trainer.train()
    resumed = Affinity(trainer.affinity.tasks, 1)
    resumed.load_state_dict(trainer.affinity.state_dict())
    assert resumed.report() == trainer.affinity.report()
