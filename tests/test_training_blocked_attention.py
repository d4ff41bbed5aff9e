"""Attention in blocks: what causal attention of each segment alone gives, and its gradients."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention
from training_runs import NAMES, tiny_llama, token_rows

from mftbench.training import blocked_attention
from mftbench.training.attention import isolate_segments
from mftbench.training.batches import collate_packed
from mftbench.training.blocked_attention import blocked_attention as blocked
from mftbench.training.blocked_attention import serves
from mftbench.training.token_losses import token_losses

LENGTHS = [7, 1, 12, 30]


def inputs(heads=6, groups=2, size=8, dtype=torch.float64):
    torch.manual_seed(0)
    tokens = sum(LENGTHS)
    shapes = [(heads, tokens, size), (groups, tokens, size), (groups, tokens, size)]
    return [torch.randn(shape).to(dtype).requires_grad_() for shape in shapes]


def expected(query, key, value, window=None):
    """SDPA of each segment, with a mask that says who sees whom."""
    heads = len(query) // len(key)
    parts = []
    for q, k, v in zip(*(t.split(LENGTHS, dim=1) for t in (query, key, value)), strict=True):
        distance = torch.arange(q.shape[1])[:, None] - torch.arange(q.shape[1])
        mask = (distance >= 0) & (distance < (window or 10**6))
        k, v = k.repeat_interleave(heads, 0), v.repeat_interleave(heads, 0)
        parts.append(scaled_dot_product_attention(q, k, v, attn_mask=mask))
    return torch.cat(parts, dim=1)


@pytest.mark.parametrize("window", [None, 1, 5, 40])
@pytest.mark.parametrize("rows", [1, 4, 12, 256])
@pytest.mark.parametrize("groups", [1, 2, 6])
def test_blocks_do_not_show(rows, window, groups, monkeypatch):
    monkeypatch.setattr(blocked_attention, "_ROWS", rows)
    given = inputs(groups=groups)
    wanted = expected(*given, window)
    found = blocked(*given, LENGTHS, given[0].shape[-1] ** -0.5, window)
    assert torch.allclose(found, wanted, rtol=1e-6, atol=1e-6)
    upstream = torch.randn_like(wanted)
    gradients = (torch.autograd.grad(out, given, upstream) for out in (found, wanted))
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-6)


def test_bfloat16_gradients_are_near_those_of_float64():
    exact = inputs()
    low = [tensor.detach().bfloat16().requires_grad_() for tensor in exact]
    upstream = torch.randn_like(exact[0])
    wanted = torch.autograd.grad(expected(*exact), exact, upstream)
    out = blocked(*low, LENGTHS, exact[0].shape[-1] ** -0.5)
    gradients = torch.autograd.grad(out, low, upstream.bfloat16())
    for found, right in zip(gradients, wanted, strict=True):
        assert float((found.double() - right).norm() / right.norm()) < 0.015


def test_a_model_trains_on_the_same_losses_either_way(monkeypatch):
    model = tiny_llama(num_key_value_heads=1, dtype=torch.bfloat16)
    isolate_segments(model)
    batch = collate_packed(token_rows(), len(NAMES))
    found = {}
    for blocks in (True, False):
        monkeypatch.setattr(blocked_attention, "serves", lambda *_, blocks=blocks: blocks)
        with torch.no_grad():
            found[blocks] = token_losses(model, model.lm_head, batch)
    assert not torch.equal(found[True], found[False])
    assert float((found[True] - found[False]).norm() / found[False].norm()) < 0.01


def test_dropout_and_float32_are_left_to_torch():
    query = torch.zeros(1, 2, 3, 4)
    assert not serves(query, 0.0)
    assert not serves(query.bfloat16(), 0.1)
