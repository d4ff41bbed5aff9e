"""What only a GPU can show: its kernels, and that every law that holds on a CPU holds there."""

import json
import math

import pytest
import torch
from tiny_llama import save_tiny_llama
from torch.nn.functional import scaled_dot_product_attention
from training_runs import (
    NAMES,
    CutAt,
    Power,
    distance,
    first_step,
    run_train,
    tiny_llama,
    token_rows,
    train_spec,
)

from mftbench.inference.engine import Request
from mftbench.inference.transformers_engine import TransformersEngine
from mftbench.stages import Adapter, ModelRef, Sampling
from mftbench.training import attention
from mftbench.training.attention import isolate_segments
from mftbench.training.balancing.registry import built_in_balancers
from mftbench.training.batches import collate_packed
from mftbench.training.isolation import isolation_error, require_isolation
from mftbench.training.token_losses import token_losses
from mftbench.training.varlen_attention import serves, varlen_attention

pytestmark = pytest.mark.needs_gpu

LENGTHS = [7, 1, 130, 30]
PROMPTS = ["def add(", "SELECT name FROM", "x", "for value in values:\n    result"]


def inputs(size=16):
    torch.manual_seed(0)
    return [torch.randn(4, sum(LENGTHS), size, dtype=torch.float64) for _ in range(3)]


def alone(query, key, value, window):
    """SDPA of each segment on the CPU, with a mask that says who sees whom: (tokens, heads, ..)."""
    parts = []
    for q, k, v in zip(*(t.split(LENGTHS, dim=1) for t in (query, key, value)), strict=True):
        back = torch.arange(q.shape[1])[:, None] - torch.arange(q.shape[1])
        mask = (back >= 0) & (back < (window or math.inf))
        parts.append(scaled_dot_product_attention(q, k, v, attn_mask=mask))
    return torch.cat(parts, dim=1).transpose(0, 1)


def relative(found, wanted):
    return float((found.detach().cpu().double() - wanted).norm() / wanted.norm())


@pytest.mark.parametrize("window", [None, 1, 5, 500])
def test_one_kernel_gives_what_each_segment_alone_gives(window):
    exact = [tensor.requires_grad_() for tensor in inputs()]
    low = [tensor.detach().cuda().bfloat16().requires_grad_() for tensor in exact]
    bounds = torch.tensor([0, *LENGTHS]).cumsum(0).int().cuda()
    assert serves(low[0], 0.0)
    wanted = alone(*exact, window)
    found = varlen_attention(*low, bounds, max(LENGTHS), None, window)
    upstream = torch.randn_like(wanted)
    right = torch.autograd.grad(wanted, exact, upstream)
    given = torch.autograd.grad(found, low, upstream.cuda().bfloat16())
    assert relative(found, wanted) < 0.01
    for one, other in zip(given, right, strict=True):
        # A window of one token leaves queries and keys nothing to learn, up to rounding.
        assert window == 1 or relative(one, other) < 0.02


def on_gpu(dtype, **options):
    model = tiny_llama(dtype=dtype, **options).cuda().eval()
    isolate_segments(model)

    def losses(batch):
        return token_losses(model, model.lm_head, {k: v.cuda() for k, v in batch.items()}).cpu()

    return losses


@pytest.mark.parametrize("groups", [1, 2])
def test_packed_rows_do_not_see_each_other(groups):
    losses = on_gpu(torch.float32, num_key_value_heads=groups)
    assert isolation_error(losses, token_rows()) < 1e-5
    require_isolation(on_gpu(torch.bfloat16, num_key_value_heads=groups), token_rows(), "bfloat16")


def test_bfloat16_takes_the_one_kernel(monkeypatch):
    calls = []
    kernel = attention.varlen_attention.varlen_attention
    monkeypatch.setattr(
        attention.varlen_attention,
        "varlen_attention",
        lambda *given: calls.append(given) or kernel(*given),
    )
    on_gpu(torch.bfloat16)(collate_packed(token_rows(), len(NAMES)))
    assert len(calls) == 2  # the model's layers


@pytest.mark.parametrize("balancer", sorted(built_in_balancers().keys() - {"fixed_weights"}))
def test_layout_does_not_show(balancer, tmp_path):
    options = {"balancer": balancer, "valid": token_rows(5, seed=1)}
    gradient, line = first_step(tmp_path, token_rows(), batch=8, **options)
    packed, other = first_step(
        tmp_path, token_rows(), padding="packed", pack_length=40, batch=2, accumulation=4, **options
    )
    assert gradient.is_cuda
    assert distance(packed, gradient) < 1e-5
    for name in (name for name in line if name.startswith(("loss", "weight", "tokens"))):
        assert other[name] == pytest.approx(line[name], rel=1e-5, abs=1e-7)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


def losses(artifact):
    lines = [json.loads(line) for line in (artifact / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


@pytest.mark.parametrize(
    "kind",
    ["full", "lora", "dora", pytest.param("qlora", marks=pytest.mark.needs_bitsandbytes)],
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_every_adapter_learns_and_answers(model, kind, dtype, tmp_path):
    spec = train_spec(model, adapter=Adapter(kind, rank=4, alpha=8), padding="packed", dtype=dtype)
    artifact = run_train(spec, tmp_path / "out", tmp_path / "work")
    first, *_, last = losses(artifact)
    assert last < first
    ref = ModelRef(str(model), artifact / "model", adapter=kind != "full")
    assert len(answers(TransformersEngine(dtype), ref)) == len(PROMPTS)


def test_experts_learn(model, tmp_path):
    spec = train_spec(model, adapter=Adapter("poly", rank=4, alpha=8), padding="packed")
    first, *_, last = losses(run_train(spec, tmp_path / "out", tmp_path / "work"))
    assert last < first


def test_a_killed_training_goes_on_where_it_was(model, tmp_path):
    spec = train_spec(model, checkpoint_every=2, padding="packed", log_every=1)
    whole = run_train(spec, tmp_path / "whole", tmp_path / "w1")
    with pytest.raises(Power):
        run_train(spec, tmp_path / "cut", tmp_path / "w2", progress=CutAt(5))
    resumed = run_train(spec, tmp_path / "resumed", tmp_path / "w2")
    assert losses(resumed) == pytest.approx(losses(whole), rel=1e-5)


def answers(engine, ref):
    asked = [Request(f"p{n}", 0, text, (), 24, n) for n, text in enumerate(PROMPTS)]
    made = {each.problem: each.text for each in engine.generate(ref, asked, Sampling(batch=2))}
    engine.close()
    return made


def test_greedy_answers_in_float32_are_those_of_the_cpu(model):
    ref = ModelRef(str(model))
    on_cpu = answers(TransformersEngine(device="cpu"), ref)
    assert answers(TransformersEngine(device="cuda"), ref) == on_cpu


@pytest.mark.needs_bitsandbytes
def test_a_base_in_four_bits_answers():
    held = TransformersEngine(device="cuda", quantization="nf4")
    assert len(answers(held, ModelRef("nano"))) == len(PROMPTS)
