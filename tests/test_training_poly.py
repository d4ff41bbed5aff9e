"""A mixture of LoRA experts: exact however tasks are mixed, saved as one plain LoRA a task."""

from dataclasses import replace

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from test_training import card, cut_and_resumed
from test_training_ranks import trained as trained_on_ranks
from tiny_llama import save_tiny_llama
from training_runs import (
    NAMES,
    distance,
    first_step,
    run_train,
    tiny_llama,
    token_rows,
    train_spec,
)

from mftbench.bench import Bench, Options, Seams
from mftbench.errors import UsageError
from mftbench.models import load_model
from mftbench.models.merging import merge_adapter
from mftbench.models.trained import trained_model
from mftbench.progress import Silent
from mftbench.run import run
from mftbench.sandbox.scripted import Scripted
from mftbench.stages import Adapter, Balance, ModelRef, Optim, Parallel, Sampling
from mftbench.store_at import StoreAt
from mftbench.study import Study, TaskSettings
from mftbench.training.adapters import METHODS
from mftbench.training.batches import collate_packed, collate_padded, token_tasks
from mftbench.training.poly_linear import PolyLinear
from mftbench.training.token_losses import token_losses
from mftbench.training.tokens import TokenRow

POLY = Adapter("poly", rank=4, alpha=8, experts=3)
METHOD = METHODS["poly"]
SMALL = {"train": 12, "problems": 2}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def artifact(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("poly")
    return run_train(train_spec(model, adapter=POLY), folder / "out", folder / "work")


def mixture(seed=0, std=0.3):
    """A model whose tasks mix experts very differently; B is not zero."""
    poly = METHOD.attach(tiny_llama(), POLY, "base", NAMES)
    torch.manual_seed(seed)
    for name, parameter in poly.named_parameters():
        if "module_logits" in name:
            torch.nn.init.normal_(parameter, std=3)
        elif "poly_lora_B" in name:
            torch.nn.init.normal_(parameter, std=std)
    return poly


def step(work, **options):
    poly = mixture()
    return first_step(work, token_rows(), model=poly, routing=METHOD.routing(poly), **options)


def losses_of(poly, batch):
    poly.eval()
    with torch.no_grad(), METHOD.routing(poly).told(batch):
        return token_losses(poly, poly.get_output_embeddings(), batch)


@pytest.mark.parametrize("balancer", ["token_mean", "task_token"])
@pytest.mark.parametrize(
    "split",
    [(1, 8, "dynamic"), (4, 2, "dynamic"), (2, 4, "fixed"), (8, 1, "packed"), (2, 4, "packed")],
    ids=str,
)
def test_split_and_layout_of_mixed_tasks_do_not_show(balancer, split, tmp_path):
    batch, accumulation, padding = split
    whole, line = step(tmp_path, batch=8, balancer=balancer)
    other, other_line = step(
        tmp_path,
        batch=batch,
        accumulation=accumulation,
        balancer=balancer,
        padding=padding,
        max_length=64,
    )
    assert distance(other, whole) < 1e-6
    assert other_line["loss"] == pytest.approx(line["loss"], rel=1e-6)


def test_steps_draw_noise_of_their_own(tmp_path):
    routing = METHOD.routing(mixture())
    draws = []
    for place in [(0, 1), (0, 1), (0, 2), (1, 1)]:
        routing.begin_step(*place)
        draws.append(routing.noise(0))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[3])


@pytest.mark.parametrize("collate", [collate_padded, collate_packed])
def test_every_slot_has_its_rows_task(collate):
    rows = [TokenRow(2, [5, 6, 7], 1), TokenRow(0, [8, 9], 1)]
    batch = collate(rows, len(NAMES))
    padded = [[2, 2, 2], [0, 0, 0]]
    assert token_tasks(batch).tolist() == (
        padded if collate is collate_padded else [[2] * 3 + [0] * 2]
    )


def test_a_row_is_computed_as_pefts_poly_does(tmp_path):
    poly, rows = mixture(), token_rows()
    METHOD.save(poly, tmp_path, POLY, NAMES)
    pefts = PeftModel.from_pretrained(tiny_llama(), tmp_path / "poly").eval()
    assert not any(isinstance(module, PolyLinear) for module in pefts.modules())
    batch = collate_padded(rows, len(NAMES))
    with torch.no_grad():
        logits = pefts(batch["input_ids"], task_ids=batch["row_tasks"]).logits
    poly.eval()
    with torch.no_grad(), METHOD.routing(poly).told(batch):
        ours = poly(batch["input_ids"]).logits
    torch.testing.assert_close(ours, logits, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("task", NAMES)
def test_plain_lora_of_a_task_computes_what_the_mixture_does(task, tmp_path):
    poly, index = mixture(), NAMES.index(task)
    METHOD.save(poly, tmp_path, POLY, NAMES)
    rows = [TokenRow(index, row.input_ids, row.prompt_length) for row in token_rows()]
    batch = collate_padded(rows, len(NAMES))
    mixed = losses_of(poly, batch)
    plain = PeftModel.from_pretrained(tiny_llama(), tmp_path / "tasks" / task).eval()
    with torch.no_grad():
        alone = token_losses(plain, plain.get_output_embeddings(), batch)
    torch.testing.assert_close(alone, mixed, rtol=1e-5, atol=1e-5)
    others = PeftModel.from_pretrained(tiny_llama(), tmp_path).eval()
    with torch.no_grad():
        mean = token_losses(others, others.get_output_embeddings(), batch)
    assert (mean - mixed).abs().max() > 1e-3


def test_lora_for_other_tasks_is_the_mean_mixture(tmp_path):
    poly = mixture()
    METHOD.save(poly, tmp_path, POLY, NAMES)
    tensors = load_file(tmp_path / "adapter_model.safetensors")
    own = [load_file(tmp_path / "tasks" / t / "adapter_model.safetensors") for t in NAMES]
    for name, tensor in tensors.items():
        torch.testing.assert_close(tensor, sum(each[name] for each in own) / len(NAMES))


def test_training_moves_routers_apart(artifact):
    tensors = load_file(artifact / "model" / "poly" / "adapter_model.safetensors")
    logits = [tensor for name, tensor in tensors.items() if name.endswith("module_logits")]
    assert len(logits) == 14
    for each in logits:
        assert each.shape == (2, 3)
        assert each.abs().max() > 5e-3  # from at most 1e-3
    assert max((each[0] - each[1]).abs().max() for each in logits) > 5e-3
    apart = card(artifact)["run"]["router_distances"]
    assert apart[0][0] == apart[1][1] == 0
    assert 0 < apart[0][1] == apart[1][0] < 1


def test_each_task_gets_its_own_part_and_others_the_mean(model, artifact):
    folder = artifact / "model"
    parts = {
        task: trained_model(str(model), folder, task, adapter=True) for task in (*NAMES, "other")
    }
    assert parts["sql"].trained == folder / "tasks" / "sql"
    assert parts["sql"].part == "sql"
    # Of the three names, the last was not trained on.
    assert parts["translation"].trained == parts["other"].trained == folder
    ids = torch.arange(3, 40).unsqueeze(0)
    logits = {}
    for task, ref in parts.items():
        loaded, _ = load_model(ref)
        with torch.no_grad():
            logits[task] = loaded(ids).logits
    assert not torch.allclose(logits["sql"], logits["completion"], atol=1e-4)
    assert not torch.allclose(logits["sql"], logits["other"], atol=1e-4)


def test_a_tasks_part_merges_into_a_plain_model(model, artifact, tmp_path):
    merge_adapter(artifact / "model" / "tasks" / "sql", tmp_path / "merged", "float32")
    ids = torch.arange(3, 40).unsqueeze(0)
    attached, _ = load_model(trained_model(str(model), artifact / "model", "sql", adapter=True))
    merged, _ = load_model(ModelRef(str(tmp_path / "merged")))
    with torch.no_grad():
        assert torch.allclose(merged(ids).logits, attached(ids).logits, atol=1e-4)


def all_bytes(artifact):
    files = sorted(path for path in (artifact / "model").rglob("*") if path.is_file())
    return {str(path.relative_to(artifact)): path.read_bytes() for path in files}


@pytest.mark.parametrize("options", [{}, {"padding": "packed", "eval_every": 3, "keep": "best"}])
def test_resumed_run_ends_with_the_same_bytes(model, options, tmp_path):
    adapter = Adapter("poly", rank=4, alpha=8, experts=3, dropout=0.1)
    spec = train_spec(
        model, adapter=adapter, balance=Balance("famo"), checkpoint_every=2, **options
    )
    whole = run_train(spec, tmp_path / "whole", tmp_path / "work-whole")
    resumed = cut_and_resumed(spec, tmp_path, 5)
    assert card(resumed)["resumed_from_step"] == 4
    assert all_bytes(resumed) == all_bytes(whole)


def test_a_bfloat16_base_trains_float32_experts(model, tmp_path):
    spec = train_spec(model, adapter=POLY, steps=2, dtype="bfloat16", padding="packed")
    artifact = run_train(spec, tmp_path / "out", tmp_path / "work")
    tensors = load_file(artifact / "model" / "poly" / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}
    assert any(tensor.any() for name, tensor in tensors.items() if "lora_B" in name)


def test_a_balancer_on_task_gradients_trains_experts(model, tmp_path):
    spec = train_spec(model, adapter=POLY, balance=Balance("pcgrad"), steps=2)
    artifact = run_train(spec, tmp_path / "out", tmp_path / "work")
    tensors = load_file(artifact / "model" / "tasks" / "sql" / "adapter_model.safetensors")
    assert all(tensor.any() for name, tensor in tensors.items() if "lora_B" in name)


def test_one_expert_is_refused(model, tmp_path):
    spec = train_spec(model, adapter=Adapter("poly", experts=1), steps=1)
    with pytest.raises(UsageError, match=r"adapter.experts is 1; .poly. mixes at least 2"):
        run_train(spec, tmp_path / "out", tmp_path / "work")


@pytest.mark.slow
def test_two_ranks_mix_experts_as_one_does(model, tmp_path):
    spec = train_spec(model, adapter=POLY, lr=1e-3, epochs=1, padding="packed")
    one = trained_on_ranks(spec, tmp_path / "one")
    two = trained_on_ranks(replace(spec, parallel=Parallel(ranks=2)), tmp_path / "two")
    for task in NAMES[:2]:
        left, right = (
            load_file(out / "model" / "tasks" / task / "adapter_model.safetensors")
            for out in (one, two)
        )
        for name, weights in left.items():
            torch.testing.assert_close(right[name], weights, rtol=1e-4, atol=1e-6)


def test_a_study_of_experts_runs_from_data_to_rows(tmp_path):
    data = {name: TaskSettings(options={"starter": SMALL}) for name in ("completion", "comment")}
    study = Study(
        name="experts",
        models=("nano",),
        tasks=("completion", "comment"),
        adapter=POLY,
        optim=Optim(steps=2, batch=2, max_length=256, padding="packed"),
        sampling=Sampling(max_new_tokens=4),
        data=data,
        baseline=False,
    )
    options = Options(StoreAt(tmp_path), workers=1)
    with Bench(study, options, Silent(), Seams(sandbox=Scripted())) as bench:
        outcome = run(bench)
    assert not outcome.failures
    assert {row.mode for row in outcome.rows} == {"single", "mixed", "mft"}
