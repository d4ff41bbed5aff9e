"""Adapters: each kind trains, its artifact loads on the base, and a 4-bit base learns as well."""

import json
import sys

import pytest
import torch
from test_training import card
from tiny_llama import save_tiny_llama
from training_runs import run_train, train_spec

from mftbench.errors import UsageError
from mftbench.models import load_model
from mftbench.models.merging import merge_adapter
from mftbench.plugins import load_task, open_source
from mftbench.stages import Adapter, Balance, ModelRef, Optim, SourceRef, TaskData, TrainSpec
from mftbench.training.adapters import METHODS
from mftbench.training.quantization import quantize

KINDS = ["lora", "dora", pytest.param("qlora", marks=pytest.mark.needs_bitsandbytes)]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


def adapter(kind, **options):
    return Adapter(kind, rank=4, alpha=8, **options)


def last_loss(artifact):
    lines = [json.loads(line) for line in (artifact / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line][-1]


@pytest.mark.parametrize("kind", KINDS)
def test_trained_adapter_loads_on_its_base(model, kind, tmp_path):
    spec = train_spec(model, adapter=adapter(kind), steps=2)
    artifact = run_train(spec, tmp_path / "out", tmp_path / "work")
    trained, _ = load_model(ModelRef(str(model), artifact / "model", adapter=True))
    assert any(p.any() for name, p in trained.named_parameters() if "lora_B" in name)


@pytest.mark.parametrize("kind", KINDS[:2])
def test_merged_model_answers_as_with_the_adapter(model, kind, tmp_path):
    spec = train_spec(model, adapter=adapter(kind), steps=3)
    artifact = run_train(spec, tmp_path / "out", tmp_path / "work")
    merge_adapter(artifact / "model", tmp_path / "merged", "float32")
    ids = torch.arange(3, 40).unsqueeze(0)
    attached, _ = load_model(ModelRef(str(model), artifact / "model", adapter=True))
    merged, _ = load_model(ModelRef(str(tmp_path / "merged")))
    with torch.no_grad():
        assert torch.allclose(merged(ids).logits, attached(ids).logits, atol=1e-4)


def test_merging_into_a_folder_with_files_is_refused(model, tmp_path):
    spec = train_spec(model, adapter=adapter("lora"), steps=1)
    artifact = run_train(spec, tmp_path / "out", tmp_path / "work")
    with pytest.raises(UsageError, match="is not empty"):
        merge_adapter(artifact / "model", artifact, "float32")


def test_adapter_on_a_bfloat16_base_leaves_precision_to_autocast(model):
    base, _ = load_model(ModelRef(str(model)), "bfloat16")
    lora = METHODS["lora"].attach(base, adapter("lora"), "base")
    layers = [module for module in lora.modules() if hasattr(module, "lora_A")]
    ids = torch.arange(3, 40).unsqueeze(0)

    def logits(cast):
        for layer in layers:
            layer.cast_input_dtype_enabled = cast
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            return lora(ids).logits

    for layer in layers:
        torch.nn.init.normal_(layer.lora_B["default"].weight, std=0.1)
    assert torch.equal(logits(True), logits(False))


@pytest.mark.needs_bitsandbytes
def test_four_bit_base_is_small_and_learns_as_well(model, tmp_path):
    settings = {"epochs": 3, "dtype": "bfloat16", "log_every": 1}
    losses = {}
    for kind in ("lora", "qlora"):
        spec = train_spec(model, adapter=adapter(kind), **settings)
        losses[kind] = last_loss(run_train(spec, tmp_path / kind, tmp_path / f"work-{kind}"))
    assert losses["qlora"] == pytest.approx(losses["lora"], rel=0.03)


@pytest.mark.needs_bitsandbytes
@pytest.mark.parametrize("double", [True, False])
def test_weights_of_a_quantized_base_take_half_a_byte(model, double):
    base, _ = load_model(ModelRef(str(model)), "bfloat16")
    options = adapter("qlora", double_quantization=double)
    attached = METHODS["qlora"].attach(base, options, "base")
    weight = attached.base_model.model.model.layers[0].mlp.up_proj.base_layer.weight
    assert weight.dtype is torch.uint8
    assert weight.numel() == 32 * 64 // 2
    assert weight.quant_state.nested == double


def test_qlora_without_bitsandbytes_names_the_extra(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    base, _ = load_model(ModelRef(str(model)))
    with pytest.raises(UsageError, match=r"mftbench\[qlora\]"):
        METHODS["qlora"].attach(base, adapter("qlora"), "base")


def test_card_of_a_training_names_the_adapter(model, tmp_path):
    spec = train_spec(model, adapter=adapter("dora"), steps=1)
    artifact = run_train(spec, tmp_path / "out", tmp_path / "work")
    assert card(artifact)["spec"]["adapter"]["kind"] == "dora"
    assert card(artifact)["provenance"]["trainable_parameters"] > 0


def test_lora_layer_computes_what_pefts_does(model):
    from peft.tuners.lora.layer import Linear

    from mftbench.training.lora_linear import LoraLinear

    base, _ = load_model(ModelRef(str(model)))
    lora = METHODS["lora"].attach(base, adapter("lora"), "base")
    made = [module for module in lora.modules() if isinstance(module, LoraLinear)]
    assert len(made) == 14  # seven products in each of two layers
    for module in made:
        torch.nn.init.normal_(module.lora_B["default"].weight, std=0.1)
        x = torch.randn(2, 5, module.in_features, requires_grad=True)
        parameters = [x, module.lora_A["default"].weight, module.lora_B["default"].weight]
        ours, pefts = module(x), Linear.forward(module, x)
        assert torch.allclose(ours, pefts, atol=1e-5)
        weights = torch.randn_like(ours)
        for ours_grad, pefts_grad in zip(
            torch.autograd.grad((ours * weights).sum(), parameters),
            torch.autograd.grad((pefts * weights).sum(), parameters),
            strict=True,
        ):
            assert torch.allclose(ours_grad, pefts_grad, atol=1e-4)


def dequantized(folder):
    """Write SmolLM2 with the weights that its NF4 form stands for, and its tokenizer."""
    import bitsandbytes

    model, tokenizer = load_model(ModelRef("smollm2"), "bfloat16")
    quantize(model, Adapter("qlora"))
    for name, module in list(model.named_modules()):
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            weight = bitsandbytes.functional.dequantize_4bit(
                module.weight.data, module.weight.quant_state
            )
            plain = torch.nn.Linear(module.in_features, module.out_features, bias=False)
            plain.weight.data = weight.to(torch.bfloat16)
            model.set_submodule(name, plain)
    model.is_loaded_in_4bit = False
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.needs_smollm2
@pytest.mark.needs_data
@pytest.mark.needs_bitsandbytes
def test_qlora_trains_smollm2_as_bfloat16_lora_does_on_the_weights_that_nf4_stands_for(tmp_path):
    task = load_task("text_to_code")
    rows = {"text_to_code": list(open_source(task, "mbpp", {}).train())[:48]}
    base = str(dequantized(tmp_path / "base"))
    losses = {}
    for kind, model in (("lora", base), ("qlora", "smollm2")):
        spec = TrainSpec(
            model=model,
            model_fingerprint="",
            tasks=(TaskData("text_to_code", 1, SourceRef("mbpp")),),
            balance=Balance(),
            adapter=Adapter(kind),
            optim=Optim(
                lr=1e-3, epochs=2, padding="packed", dtype="bfloat16", warmup=0.1, log_every=4
            ),
            format="plain",
            seed=1,
        )
        artifact = run_train(spec, tmp_path / kind, tmp_path / f"work-{kind}", rows=rows)
        written = (artifact / "metrics.jsonl").read_text().splitlines()
        losses[kind] = [line["loss"] for line in map(json.loads, written) if "loss" in line]
    assert losses["qlora"][-1] < 0.9 * losses["qlora"][0]
    assert losses["qlora"] == pytest.approx(losses["lora"], rel=0.03)
