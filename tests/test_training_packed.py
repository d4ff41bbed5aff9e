"""Packing: rows of a pack do not see each other, and what is trained is what padding trains."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_runs import NAMES, TASKS, LogMean, distance, first_step, tiny_llama, token_rows
from transformers import AttentionInterface, MistralConfig, MistralForCausalLM

from mftbench.errors import UsageError
from mftbench.training.attention import isolate_segments
from mftbench.training.batches import collate_packed, collate_padded, model_inputs
from mftbench.training.isolation import isolation_error, require_isolation
from mftbench.training.selfcheck import packing_error
from mftbench.training.token_losses import token_losses


def losses_of(model):
    return lambda batch: token_losses(model, model.lm_head, batch)


def isolated(model):
    isolate_segments(model)
    return model.eval()


@pytest.mark.parametrize("balancer", ["token_mean", "sample_mean", "task_token", "task_sample"])
@pytest.mark.parametrize("pack_length", [1, 40, 1000])
def test_packing_does_not_show(balancer, pack_length, tmp_path):
    gradient, line = first_step(tmp_path, token_rows(), batch=8, balancer=balancer)
    packed, packed_line = first_step(
        tmp_path, token_rows(), padding="packed", pack_length=pack_length, balancer=balancer
    )
    assert distance(packed, gradient) < 1e-6
    names = [name for name in line if name.startswith(("loss", "weight", "tokens"))]
    for name in names:
        assert packed_line[name] == pytest.approx(line[name], rel=1e-6)


def test_packing_does_not_show_where_weights_need_the_losses(tmp_path):
    gradient, _ = first_step(tmp_path, token_rows(), batch=8, balancer=LogMean(TASKS))
    packed, _ = first_step(
        tmp_path, token_rows(), padding="packed", pack_length=50, balancer=LogMean(TASKS)
    )
    assert distance(packed, gradient) < 1e-6


def test_grouped_queries_are_isolated():
    model = isolated(tiny_llama(num_key_value_heads=1))
    assert isolation_error(losses_of(model), token_rows()) < 1e-6


def test_sliding_window_is_kept_within_a_segment():
    torch.manual_seed(0)
    config = MistralConfig(
        vocab_size=96,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        sliding_window=7,
        initializer_range=0.2,
    )
    model, batch = MistralForCausalLM(config).eval(), collate_padded(token_rows(), len(NAMES))
    with torch.no_grad():
        expected = losses_of(model)(batch)
        packed = losses_of(isolated(model))(collate_packed(token_rows(), len(NAMES)))
    assert torch.allclose(packed, expected, atol=1e-5)


def test_rows_of_a_pack_do_not_see_each_other_to_the_bit():
    model, rows = isolated(tiny_llama()), token_rows()
    batch = collate_packed(rows, len(NAMES))
    first = len(rows[0].input_ids)
    with torch.no_grad():
        before = model(**model_inputs(batch)).logits[:, first:]
        batch["input_ids"][:, :first] = 5
        after = model(**model_inputs(batch)).logits[:, first:]
    assert torch.equal(before, after)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_selfcheck_finds_rows_that_see_each_other(dtype):
    # What a mask of ones or a cache does to a model that nobody prepared: plain causal attention.
    model = tiny_llama(dtype=getattr(torch, dtype)).eval()
    model.set_attn_implementation("leaky")
    with pytest.raises(UsageError, match=r"packed rows see each other .* optim\.padding"):
        require_isolation(losses_of(model), token_rows(), dtype)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_selfcheck_passes_a_prepared_model(dtype):
    model = isolated(tiny_llama(dtype=getattr(torch, dtype)))
    require_isolation(losses_of(model), token_rows(), dtype)


def test_selfcheck_of_this_machine_passes():
    assert packing_error() < 1e-5


@pytest.fixture(autouse=True)
def leaky():
    """Attention over the whole sequence, whatever its segments."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    def attend(module, query, key, value, mask, cu_seq_lens_q=None, **options):
        return sdpa_attention_forward(module, query, key, value, mask, **options)

    AttentionInterface.register("leaky", attend)


_RANK = """
import pathlib, sys, torch
sys.path.insert(0, sys.argv[2])
from training_runs import first_step, token_rows
out = pathlib.Path(sys.argv[1])
packed = {"padding": "packed", "pack_length": 50, "balancer": "task_token"}
gradient, line = first_step(out, token_rows(7), batch=2, accumulation=2, **packed)
torch.save((gradient, line), out / f"{torch.distributed.get_rank()}.pt")
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_packing_on_two_ranks_does_not_show(tmp_path):
    script = tmp_path / "rank.py"
    script.write_text(_RANK)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", str(script)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    folder = str(Path(__file__).parent)
    subprocess.run([*command, str(tmp_path), folder], check=True, env=environment)
    gradient, line = first_step(tmp_path, token_rows(7), batch=8)
    for rank in (0, 1):
        other, other_line = torch.load(tmp_path / f"{rank}.pt")
        assert distance(other, gradient) < 1e-6
        assert other_line["loss"] == pytest.approx(line["loss"], rel=1e-6)
