"""Token losses in chunks: the same numbers, and no more logits at a time than a chunk's."""

import pytest
import torch
from training_runs import NAMES, distance, first_step, tiny_llama, token_rows
from transformers import LlamaConfig, LlamaForCausalLM

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


@pytest.mark.parametrize(
    "setting",
    [
        "final_logit_softcapping",  # Gemma
        "logit_scale",  # Cohere
        "logits_scaling",  # Granite
        "lm_head_multiplier",  # Falcon-H1
        "logits_soft_cap",  # RecurrentGemma
        "output_logit_soft_cap",  # xLSTM
        "unpadded_vocab_size",  # Inkling
    ],
)
def test_logits_that_a_model_changes_are_left_to_it(setting):
    model = tiny_llama()
    assert chunked_losses.ends_in(model, model.lm_head)
    setattr(model.config, setting, 30.0)
    assert not chunked_losses.ends_in(model, model.lm_head)


def test_setting_of_a_models_text_part_is_found():
    class Composed(LlamaConfig):
        def get_text_config(self, **options):
            return LlamaConfig(final_logit_softcapping=30.0)

    model = tiny_llama()
    model.config = Composed()
    assert not chunked_losses.ends_in(model, model.lm_head)


def test_logits_that_a_wrapped_model_changes_are_left_to_it():
    model = tiny_llama()
    model.config.final_logit_softcapping = 30.0
    wrapped = torch.nn.Sequential(model)  # as DDP, it has no config of its own
    assert not chunked_losses.ends_in(wrapped, model.lm_head)


class Doubled(LlamaForCausalLM):
    """Changes its logits by no setting."""

    def forward(self, *args, **options):
        outputs = super().forward(*args, **options)
        outputs.logits = outputs.logits * 2
        return outputs


@pytest.mark.parametrize("frozen", [True, False])
def test_logits_that_are_changed_by_no_setting_are_found_out(frozen, tiny_budget):
    model, batch = Doubled(tiny_llama().config), collate_padded(token_rows(), len(NAMES))
    model.lm_head.requires_grad_(not frozen)
    losses = token_losses(model, model.lm_head, batch)
    expected = token_losses(model, None, batch)  # of whole logits
    assert torch.allclose(losses, expected, rtol=1e-6)


def test_hidden_states_that_are_not_finite_came_through_as_they_are():
    hidden = torch.tensor([[1.0, torch.nan], [torch.inf, 2.0]])
    assert chunked_losses.came_through(hidden.unsqueeze(0).double(), hidden)
    assert not chunked_losses.came_through(hidden.unsqueeze(0) + 1, hidden)
    assert not chunked_losses.came_through(hidden.unsqueeze(0)[..., :1], hidden)


def test_small_batches_are_not_chunked():
    assert not chunked_losses.wants_chunks(tiny_llama().lm_head, 1000)
