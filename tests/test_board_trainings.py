"""What trainings leave behind, as the report and the figures read it."""

import json
from dataclasses import replace

import pytest
from board_rows import row
from report_evidence import evidence, training

from mftbench.errors import StoreError
from mftbench.leaderboard.cards import slug
from mftbench.leaderboard.cells import System
from mftbench.leaderboard.rows import Keys
from mftbench.leaderboard.trainings import read_trainings
from mftbench.store import Store

METRICS = (
    {"step": 10, "loss/task/sql": 2.0, "weight/task/sql": 0.5, "epoch": 0.1},
    {"step": 20, "loss/task/sql": 1.0, "weight/task/sql": 0.25},
    {"step": 20, "valid/loss": 3.0},
)
CARD = {
    "rows": {"sql": {"train": 7}},
    "run": {
        "padding_share": 0.25,
        "tasks": {"sql": {"supervised_tokens": 9, "token_share": 0.1, "effective_weight": 0.5}},
    },
}
AFFINITY = {
    "tasks": ["sql", "completion"],
    "steps": [],
    "mean": [[1.0, None], [None, 1.0]],
    "groups": [["sql"], ["completion"]],
}


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "train" / "t"
    folder.mkdir(parents=True)
    for name, value in (("spec", {}), ("provenance", {}), ("card", CARD), ("affinity", AFFINITY)):
        (folder / f"{name}.json").write_text(json.dumps(value))
    lines = "".join(json.dumps(line) + "\n" for line in METRICS)
    (folder / "metrics.jsonl").write_text(lines)
    return Store(tmp_path)


def trainings(store, **changes):
    return read_trainings(store, [row([1.0], train_tasks=("sql",), **changes)] * 2)


def test_curves_are_read_by_task(store):
    (found,) = trainings(store)
    assert found.loss == {"sql": [(10, 2.0), (20, 1.0)]}
    assert found.weight == {"sql": [(10, 0.5), (20, 0.25)]}


def test_shares_and_affinity_are_read(store):
    (found,) = trainings(store)
    assert (found.padding_share, found.shares[0].rows, found.shares[0].weight) == (0.25, 7, 0.5)
    assert found.affinity.groups == (("sql",), ("completion",))
    assert found.affinity.mean[0] == (1.0, None)


def test_one_task_has_no_affinity(store):
    alone = {"tasks": ["sql"], "mean": [[1.0]], "groups": [["sql"]]}
    (store.root / "train" / "t" / "affinity.json").write_text(json.dumps(alone))
    assert trainings(store)[0].affinity is None


def test_a_training_that_the_store_lacks_is_left_out(store):
    assert trainings(store, keys=Keys("gone", "g", "e", "s")) == []
    assert trainings(store, keys=Keys("", "g", "e", "s")) == []


def test_a_broken_file_names_itself_and_the_remedy(store):
    (store.root / "train" / "t" / "card.json").write_text("{")
    with pytest.raises(StoreError, match=r"card\.json: not JSON .*; delete .*t to re-make it"):
        trainings(store)


def test_a_training_without_figures_still_counts(store):
    for name in ("card.json", "affinity.json", "metrics.jsonl"):
        (store.root / "train" / "t" / name).unlink()
    (found,) = trainings(store)
    assert (found.shares, found.affinity, found.loss, found.padding_share) == ([], None, {}, None)


def test_cards_of_models_whose_names_end_alike_are_named_apart():
    models = ("meta/llama", "other/llama", "nano")
    trainings = tuple(training(System(model, "mixed")) for model in models)
    study = replace(evidence(), trainings=trainings)
    assert [slug(study, each) for each in trainings] == [
        "meta-llama-mixed-seed1",
        "other-llama-mixed-seed1",
        "nano-mixed-seed1",
    ]
