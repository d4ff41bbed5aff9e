"""The law of balancing: gradient, losses and state depend on the global batch alone."""

import os
import random
import subprocess
import sys

import pytest
import torch
from training_runs import (
    NAMES,
    TASKS,
    LogMean,
    Trailing,
    distance,
    first_step,
    make_trainer,
    tiny_llama,
    token_rows,
)

from mftbench.training.balancing.statistics import TOKEN
from mftbench.training.batches import collate_padded, statistics
from mftbench.training.token_losses import sums_by_task, token_losses

SPLITS = [(1, 8), (2, 4), (4, 2)]
BALANCERS = ["token_mean", "sample_mean", "task_token", "task_sample"]


def losses_of(line):
    return [value for name, value in sorted(line.items()) if name.startswith(("loss", "weight"))]


@pytest.mark.parametrize("balancer", BALANCERS)
def test_split_of_the_global_batch_does_not_show(balancer, tmp_path):
    gradient, line = first_step(tmp_path, token_rows(), batch=8, balancer=balancer)
    for batch, accumulation in SPLITS:
        other, other_line = first_step(
            tmp_path, token_rows(), batch=batch, accumulation=accumulation, balancer=balancer
        )
        assert distance(other, gradient) < 1e-6
        assert losses_of(other_line) == pytest.approx(losses_of(line), rel=1e-6)


def test_split_does_not_show_where_weights_need_the_losses(tmp_path):
    gradient, _ = first_step(tmp_path, token_rows(), batch=8, balancer=LogMean(TASKS))
    for batch, accumulation in SPLITS:
        other, _ = first_step(
            tmp_path,
            token_rows(),
            batch=batch,
            accumulation=accumulation,
            balancer=LogMean(TASKS),
        )
        assert distance(other, gradient) < 1e-6


def test_weights_that_need_the_losses_are_exact(tmp_path):
    model, rows = tiny_llama(), token_rows()
    batch = collate_padded(rows, len(NAMES))
    sums = sums_by_task(token_losses(model, model.lm_head, batch), batch, TOKEN)[0]
    (sums / batch["task_tokens"]).log().sum().backward()
    expected = torch.cat([p.grad.flatten() for p in model.parameters()])
    gradient, _ = first_step(tmp_path, rows, batch=2, accumulation=4, balancer=LogMean(TASKS))
    assert distance(gradient, expected) < 1e-6


def test_split_does_not_show_under_dropout_free_many_steps(tmp_path):
    lines = []
    for batch, accumulation in [(8, 1), (2, 4)]:
        trainer = make_trainer(
            tmp_path,
            token_rows(21),
            batch=batch,
            accumulation=accumulation,
            balancer=Trailing(TASKS),
            steps=6,
            lr=1e-3,
        )
        trainer.train()
        lines.append([losses_of(line) for line in trainer.state.log_history])
    for left, right in zip(*lines, strict=True):
        assert left == pytest.approx(right, rel=1e-5)


def test_order_of_rows_does_not_show(tmp_path):
    rows = token_rows()
    gradient, _ = first_step(tmp_path, rows, batch=2, accumulation=4)
    for seed in range(3):
        shuffled = random.Random(seed).sample(rows, len(rows))
        other, _ = first_step(tmp_path, shuffled, batch=2, accumulation=4)
        assert distance(other, gradient) < 1e-6


def test_mixed_is_the_models_own_loss(tmp_path):
    rows, model = token_rows(), tiny_llama()
    batch = collate_padded(rows, len(NAMES))
    labels = torch.full_like(batch["input_ids"], -100)
    for index, row in enumerate(rows):
        end = len(row.input_ids)
        labels[index, row.prompt_length : end] = torch.tensor(row.input_ids[row.prompt_length :])
    mask = torch.arange(labels.shape[1]) < torch.tensor([[len(r.input_ids)] for r in rows])
    model(input_ids=batch["input_ids"], attention_mask=mask.long(), labels=labels).loss.backward()
    expected = torch.cat([p.grad.flatten() for p in model.parameters()])
    gradient, _ = first_step(tmp_path, rows, batch=2, accumulation=4, balancer="token_mean")
    assert distance(gradient, expected) < 1e-6


def test_micro_scope_depends_on_the_split(tmp_path):
    options = {"scope": "micro", "balancer": "task_token"}
    whole, _ = first_step(tmp_path, token_rows(), batch=8, **options)
    split, _ = first_step(tmp_path, token_rows(), batch=1, accumulation=8, **options)
    assert distance(split, whole) > 0.05


def test_micro_scope_at_one_row_weighs_a_task_by_its_share_of_rows(tmp_path):
    _, line = first_step(tmp_path, token_rows(), batch=1, accumulation=8, scope="micro")
    assert [line[f"weight/task/{task}"] for task in NAMES] == pytest.approx([5 / 8, 2 / 8, 1 / 8])


def test_absent_task_has_no_weight_and_no_loss(tmp_path):
    rows = [row for row in token_rows() if row.task != 1]
    _, line = first_step(tmp_path, rows, batch=2, accumulation=3)
    assert line["weight/task/sql"] == 0
    assert line["tokens/task/sql"] == 0
    assert "loss/task/sql" not in line


def test_head_sees_supervised_positions_only():
    model, batch = tiny_llama(), collate_padded(token_rows(), len(NAMES))
    seen = []
    model.lm_head.register_forward_hook(lambda _, args, out: seen.append(out.shape))
    token_losses(model, model.lm_head, batch)
    assert seen == [(1, len(batch["targets"]), 96)]


def test_model_without_a_known_head_has_the_same_losses():
    model, batch = tiny_llama(), collate_padded(token_rows(), len(NAMES))
    with torch.no_grad():
        expected = token_losses(model, model.lm_head, batch)
        assert torch.allclose(token_losses(model, None, batch), expected, atol=1e-6)


def test_padding_does_not_change_the_losses():
    model, rows = tiny_llama(), token_rows()
    batch, wide = collate_padded(rows, len(NAMES)), collate_padded(rows, len(NAMES), 64)
    with torch.no_grad():
        expected = token_losses(model, model.lm_head, batch)
        assert torch.allclose(token_losses(model, model.lm_head, wide), expected, atol=1e-5)


def test_counts_of_a_split_add_up_to_those_of_the_whole():
    rows, tasks = token_rows(), len(NAMES)
    halves = [statistics(collate_padded(half, tasks)) for half in (rows[:3], rows[3:])]
    parts, whole = halves[0] + halves[1], statistics(collate_padded(rows, tasks))
    assert torch.equal(parts.tokens, whole.tokens)
    assert torch.equal(parts.samples, whole.samples)


_RANK = """
import pathlib, sys, torch
sys.path.insert(0, sys.argv[2])
from training_runs import first_step, token_rows
out = pathlib.Path(sys.argv[1])
gradient, line = first_step(out, token_rows(7), batch=2, accumulation=2, balancer=sys.argv[3])
torch.save((gradient, line), out / f"{torch.distributed.get_rank()}.pt")
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
@pytest.mark.parametrize("balancer", ["token_mean", "task_token"])
def test_two_ranks_do_not_show(balancer, tmp_path):
    script = tmp_path / "rank.py"
    script.write_text(_RANK)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", str(script)]
    arguments = [str(tmp_path), os.path.dirname(__file__), balancer]  # noqa: PTH120
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, *arguments], check=True, env=environment, capture_output=True)
    gradient, line = first_step(tmp_path, token_rows(7), batch=8, balancer=balancer)
    for rank in (0, 1):
        other, other_line = torch.load(tmp_path / f"{rank}.pt")
        assert distance(other, gradient) < 1e-6
        assert losses_of(other_line) == pytest.approx(losses_of(line), rel=1e-6)
