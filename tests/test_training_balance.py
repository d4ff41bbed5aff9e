"""MFTCoder's worked token losses through collator, levels and window, however they are split."""

import pytest
import torch

from mftbench.stages import Balance
from mftbench.training.balancing.balancer import BalancedTask
from mftbench.training.balancing.registry import make_balancer
from mftbench.training.batches import collate_padded, statistics
from mftbench.training.task_gradients import MicroBatch
from mftbench.training.token_losses import sums_by_task
from mftbench.training.tokens import TokenRow
from mftbench.training.window import SCOPES, Signals, WindowShape

# Rows A (task 0) with token losses 1, 2, 3, B (task 0) 4, C (task 1) 10, 2.
ROWS = {"A": (0, [1.0, 2.0, 3.0]), "B": (0, [4.0]), "C": (1, [10.0, 2.0])}
SPLITS = [["ABC"], ["A", "B", "C"], ["AB", "C"], ["CA", "B"], ["C", "B", "A"]]
CASES = [("token_mean", 22 / 6), ("sample_mean", 4.0), ("task_token", 4.25), ("task_sample", 4.5)]


def collate(names):
    rows = [TokenRow(ROWS[n][0], list(range(len(ROWS[n][1]) + 2)), 2) for n in names]
    return collate_padded(rows, 2)


def step(split, name, *, scope="global", weights=(1.0, 1.0)):
    """One window over micro-batches with the worked losses: the parts' sum, and the record."""
    balancer = make_balancer(Balance(name), [BalancedTask(str(w), w) for w in weights])
    batches = [collate(names) for names in split]
    total = sum(map(statistics, batches[1:]), statistics(batches[0]))
    shape = WindowShape(len(batches), 1)
    known = Signals(total.present.double())
    window = SCOPES[scope](balancer, total, shape, None, lambda: known)
    parts = 0.0
    for names, batch in zip(split, batches, strict=True):
        losses = torch.tensor([loss for n in names for loss in ROWS[n][1]])
        sums = sums_by_task(losses, batch, balancer.level)
        micro = MicroBatch(sums, statistics(batch), batch["tasks"], None)
        parts += window.add(micro).item()
    return parts, window.close()


@pytest.mark.parametrize("split", SPLITS, ids="|".join)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_worked_value_whatever_the_split(case, split):
    name, value = case
    parts, record = step(split, name)
    assert parts == pytest.approx(value)
    assert record.loss == pytest.approx(value)


def test_worked_value_with_task_weights():
    assert step(["A", "BC"], "task_token", weights=(1, 3))[0] == pytest.approx(5.125)


def test_micro_scope_turns_task_means_into_sample_means():
    parts, record = step(["A", "B", "C"], "task_token", scope="micro")
    assert parts == pytest.approx(4.0)
    assert record.loss == pytest.approx(4.0)


def test_micro_scope_of_one_micro_batch_is_the_global_one():
    assert step(["ABC"], "task_token", scope="micro")[0] == pytest.approx(4.25)


def test_micro_scope_weighs_by_presence_in_micro_batches():
    _, record = step(["A", "B", "C"], "task_token", scope="micro")
    assert record.weights.tolist() == pytest.approx([2 / 3, 1 / 3])


def test_record_has_token_sums_whatever_the_level():
    _, record = step(["AB", "C"], "task_sample")
    assert record.token_sums.tolist() == [10.0, 12.0]
    assert record.losses.tolist() == [3.0, 6.0]
