"""Activations made again in the backward pass: the same gradient, from less memory."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from test_training import card
from test_training_poly import POLY
from tiny_llama import save_tiny_llama
from training_runs import (
    NAMES,
    GradientKeeper,
    make_trainer,
    run_train,
    tiny_llama,
    token_rows,
    train_spec,
)

from mftbench.errors import UsageError
from mftbench.stages import Adapter, Optim
from mftbench.training.activations import VARIABLE, choose, fits, prepare
from mftbench.training.adapters import METHODS
from mftbench.training.routing import Unrouted

ADAPTERS = [Adapter(), Adapter("lora", rank=4, alpha=8, dropout=0.3), replace(POLY, dropout=0.3)]


@pytest.fixture(autouse=True)
def undecided(monkeypatch):
    monkeypatch.setenv(VARIABLE, "auto")


def gradient(work, adapter, choice, **options):
    choose(choice)
    method = METHODS[adapter.kind]
    torch.manual_seed(0)
    model = method.attach(tiny_llama(), adapter, "base", NAMES)
    routing = method.routing(model)
    trainer = make_trainer(work, token_rows(), model=model, routing=routing, **options)
    assert prepare(model, Optim(), routing) == (choice == "recompute")
    keeper = GradientKeeper()
    trainer.add_callback(keeper)
    torch.manual_seed(1)
    trainer.train()
    return keeper.gradient


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.kind)
@pytest.mark.parametrize("balancer", ["task_token", "famo", "gradnorm", "pcgrad"])
def test_the_gradient_is_that_of_kept_activations_to_the_bit(adapter, balancer, tmp_path):
    options = {"batch": 2, "accumulation": 4, "padding": "packed", "pack_length": 60}
    kept = gradient(tmp_path, adapter, "keep", balancer=balancer, **options)
    again = gradient(tmp_path, adapter, "recompute", balancer=balancer, **options)
    assert kept.any()
    assert torch.equal(again, kept)


def test_a_whole_training_ends_in_the_same_weights(tmp_path):
    spec = train_spec(save_tiny_llama(tmp_path / "base"), steps=3, dtype="bfloat16")
    weights, said = {}, {}
    for choice in ("keep", "recompute"):
        choose(choice)
        made = run_train(spec, tmp_path / choice, tmp_path / f"work-{choice}")
        weights[choice] = load_file(made / "model" / "model.safetensors")
        said[choice] = card(made)["provenance"]["activations"]
    assert said == {"keep": "kept", "recompute": "recomputed"}
    for name, tensor in weights["keep"].items():
        assert torch.equal(weights["recompute"][name], tensor)


def test_a_processor_keeps_them_unless_told_otherwise():
    assert not prepare(tiny_llama(), Optim(), Unrouted())


def test_an_unknown_choice_is_a_usage_error():
    with pytest.raises(UsageError, match="did you mean 'recompute'"):
        choose("recomputed")


def test_a_model_that_cannot_says_so():
    choose("recompute")
    model = tiny_llama()
    model.supports_gradient_checkpointing = False
    with pytest.raises(UsageError, match="LlamaForCausalLM cannot make its activations again"):
        prepare(model, Optim(), Unrouted())


@pytest.mark.parametrize(
    ("optim", "tokens"),
    [
        (Optim(padding="packed", dtype="bfloat16", pack_length=2000), 2000),
        (Optim(padding="packed", dtype="bfloat16", max_length=500), 500),
        (Optim(padding="dynamic", dtype="bfloat16", batch=4, max_length=500), 2000),
    ],
)
def test_they_fit_where_the_formula_leaves_a_fifth_free(optim, tokens):
    model = tiny_llama()
    trained = sum(each.numel() for each in model.parameters())
    needed = 34 * tokens * 32 * 2 + 12 * trained  # two layers, 32 wide
    assert fits(model, optim, int(needed / 0.8) + 2)
    assert not fits(model, optim, int(needed / 0.8) - 2)
