"""Token losses in chunks: the same numbers, and no more logits at a time than a chunk's."""

import pytest
from training_runs import NAMES, distance, first_step, tiny_llama, token_rows

from mftbench.training import chunked_losses
from mftbench.training.batches import collate_padded
from mftbench.training.token_losses import token_losses


@pytest.fixture
def tiny_budget(monkeypatch):
    monkeypatch.setattr(chunked_losses, "BUDGET_BYTES", 0)
    monkeypatch.setattr(chunked_losses, "_CHUNK_BYTES", 5 * 96 * 4)


def test_chunks_have_the_same_gradient(tmp_path, monkeypatch):
    whole, line = first_step(tmp_path, token_rows())
    monkeypatch.setattr(chunked_losses, "BUDGET_BYTES", 0)
    monkeypatch.setattr(chunked_losses, "_CHUNK_BYTES", 5 * 96 * 4)
    chunked, chunked_line = first_step(tmp_path, token_rows())
    assert distance(chunked, whole) < 1e-6
    assert chunked_line["loss"] == pytest.approx(line["loss"], rel=1e-6)


def test_head_sees_one_chunk_at_a_time(tiny_budget):
    model, batch = tiny_llama(), collate_padded(token_rows(), len(NAMES))
    seen = []
    losses = token_losses(model, model.lm_head, batch)
    model.lm_head.register_forward_hook(lambda _, args, out: seen.append(out.shape[0]))
    losses.sum().backward()  # made again, chunk by chunk
    assert max(seen) == 5
    assert sum(seen) == len(batch["targets"])


def test_head_is_itself_again_afterwards(tiny_budget):
    model, batch = tiny_llama(), collate_padded(token_rows(), len(NAMES))
    token_losses(model, model.lm_head, batch)
    assert model(batch["input_ids"]).logits.shape[-1] == 96


def test_logits_that_a_model_changes_are_left_to_it():
    model = tiny_llama()
    assert chunked_losses.ends_in(model, model.lm_head)
    model.config.final_logit_softcapping = 30.0
    assert not chunked_losses.ends_in(model, model.lm_head)


def test_small_batches_are_not_chunked():
    assert not chunked_losses.wants_chunks(tiny_llama().lm_head, 1000)
