"""The Train stage: what it writes, that it repeats to the bit, and that it resumes to the bit."""

import json
import math

import pytest
import torch
from safetensors.torch import load_file
from tiny_llama import save_tiny_llama
from training_runs import (
    NAMES,
    CutAt,
    Power,
    examples,
    install_plugin,
    make_trainer,
    run_train,
    tiny_llama,
    token_rows,
    train_spec,
)

from mftbench.contract import Prompt
from mftbench.errors import EngineError, UsageError
from mftbench.models import load_model
from mftbench.progress import Silent
from mftbench.stages import Adapter, Balance, ModelRef
from mftbench.training import scripted
from mftbench.training.adapters import METHODS

LORA = Adapter("lora", rank=4, alpha=8, dropout=0.2)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


def weights(artifact):
    (file,) = (artifact / "model").glob("*.safetensors")
    return file.read_bytes()


def lines(artifact):
    return [json.loads(line) for line in (artifact / "metrics.jsonl").read_text().splitlines()]


def card(artifact):
    return json.loads((artifact / "card.json").read_text())


def cut_and_resumed(spec, tmp_path, *steps):
    for number, step in enumerate(steps):
        with pytest.raises(Power):
            run_train(spec, tmp_path / f"cut{number}", tmp_path / "work", progress=CutAt(step))
    return run_train(spec, tmp_path / "out", tmp_path / "work")


def test_trained_model_loads_with_its_tokenizer(model, tmp_path):
    artifact = run_train(train_spec(model, steps=2), tmp_path / "out", tmp_path / "work")
    trained, tokenizer = load_model(ModelRef(str(model), artifact / "model"), "float32")
    assert not torch.equal(
        trained.lm_head.weight, load_model(ModelRef(str(model)))[0].lm_head.weight
    )
    assert tokenizer.eos_token_id == trained.config.eos_token_id
    assert trained.config.use_cache


def test_trained_adapter_loads_on_its_base(model, tmp_path):
    spec = train_spec(model, adapter=LORA, steps=2)
    artifact = run_train(spec, tmp_path / "out", tmp_path / "work")
    trained, _ = load_model(ModelRef(str(model), artifact / "model", adapter=True), "float32")
    assert any(p.any() for name, p in trained.named_parameters() if "lora_B" in name)


def test_two_runs_of_one_spec_write_the_same_bytes(model, tmp_path):
    spec = train_spec(model, adapter=LORA, steps=3)
    first = run_train(spec, tmp_path / "a", tmp_path / "work-a")
    second = run_train(spec, tmp_path / "b", tmp_path / "work-b")
    for path in sorted((first / "model").iterdir()):
        assert path.read_bytes() == (second / "model" / path.name).read_bytes(), path.name
    assert (first / "metrics.jsonl").read_bytes() == (second / "metrics.jsonl").read_bytes()


@pytest.mark.parametrize("steps", [(5,), (8,), (3, 5, 6)], ids=str)
def test_resumed_run_ends_with_the_same_weights_and_metrics(model, steps, tmp_path):
    # 43 rows less 2 for validation, 8 a step: 6 steps an epoch, 12 in all.
    spec = train_spec(model, checkpoint_every=2, eval_every=5, valid_share=0.01)
    whole = run_train(spec, tmp_path / "whole", tmp_path / "work-whole")
    resumed = cut_and_resumed(spec, tmp_path, *steps)
    assert card(resumed)["resumed_from_step"] > 0
    assert weights(resumed) == weights(whole)
    assert lines(resumed) == lines(whole)
    assert card(resumed)["run"] == card(whole)["run"]


def test_resume_brings_back_dropout_and_the_balancers_state(model, tmp_path, monkeypatch):
    install_plugin(tmp_path / "site", "trailing = training_runs:Trailing")
    monkeypatch.syspath_prepend(tmp_path / "site")
    balance = Balance("trailing", {"decay": 0.3})
    spec = train_spec(model, balance=balance, adapter=LORA, checkpoint_every=3)
    whole = run_train(spec, tmp_path / "whole", tmp_path / "work-whole")
    resumed = cut_and_resumed(spec, tmp_path, 8)
    assert card(resumed)["resumed_from_step"] == 6
    assert weights(resumed) == weights(whole)


def test_resume_within_an_epoch_measures_first_under_the_dropout_it_would_have_drawn(
    model, tmp_path
):
    spec = train_spec(model, balance=Balance("famo"), adapter=LORA, checkpoint_every=2)
    whole = run_train(spec, tmp_path / "whole", tmp_path / "work-whole")
    resumed = cut_and_resumed(spec, tmp_path, 5)
    assert card(resumed)["resumed_from_step"] == 4
    assert weights(resumed) == weights(whole)


def test_half_written_checkpoint_is_ignored(model, tmp_path):
    spec = train_spec(model, checkpoint_every=2)
    whole = run_train(spec, tmp_path / "whole", tmp_path / "work-whole")
    with pytest.raises(Power):
        run_train(spec, tmp_path / "cut", tmp_path / "work", progress=CutAt(7))
    newest = tmp_path / "work" / "checkpoint-6"
    (newest / "mftbench_state.pt").unlink()
    (newest / "model.safetensors").write_bytes(b"torn")
    resumed = run_train(spec, tmp_path / "out", tmp_path / "work")
    assert card(resumed)["resumed_from_step"] == 4
    assert weights(resumed) == weights(whole)


def test_finished_work_folder_can_be_run_again(model, tmp_path):
    spec = train_spec(model, checkpoint_every=2)
    first = run_train(spec, tmp_path / "a", tmp_path / "work")
    assert weights(run_train(spec, tmp_path / "b", tmp_path / "work")) == weights(first)


def test_metrics_name_every_task(model, tmp_path):
    artifact = run_train(train_spec(model, steps=3), tmp_path / "out", tmp_path / "work")
    step = lines(artifact)[0]
    for task in ("completion", "sql"):
        assert {f"loss/task/{task}", f"weight/task/{task}", f"tokens/task/{task}"} <= set(step)
    assert {"loss", "grad_norm", "learning_rate", "epoch", "step"} <= set(step)


def test_validation_is_token_exact_whatever_its_batch(model, tmp_path):
    options = {"steps": 1, "lr": 0.0, "valid_share": 0.5}
    one = run_train(
        train_spec(model, batch=1, accumulation=8, **options), tmp_path / "1", tmp_path / "w1"
    )
    eight = run_train(
        train_spec(model, batch=8, accumulation=1, **options), tmp_path / "8", tmp_path / "w8"
    )
    assert card(one)["validation"] == pytest.approx(card(eight)["validation"], rel=1e-6)


def test_card_says_what_became_of_the_rows(model, tmp_path):
    artifact = run_train(train_spec(model, steps=2), tmp_path / "out", tmp_path / "work")
    rows = card(artifact)["rows"]
    assert rows["completion"]["read"] == 30
    assert rows["sql"] == {
        "read": 13, "train": 12, "valid": 1, "dropped": 0, "unsupervised": 0, "truncated": 0
    }  # fmt: skip


@pytest.mark.parametrize(("balancer", "equal"), [("token_mean", False), ("task_token", True)])
def test_card_has_effective_weights(model, balancer, equal, tmp_path):
    spec = train_spec(model, balance=Balance(balancer), steps=2, batch=16)
    run = card(run_train(spec, tmp_path / "out", tmp_path / "work"))["run"]
    weights = [task["effective_weight"] for task in run["tasks"].values()]
    assert sum(weights) == pytest.approx(1)
    assert (weights == pytest.approx([0.5, 0.5])) == equal


def test_grouping_by_length_pads_less(model, tmp_path):
    shares = [
        card(
            run_train(
                train_spec(model, steps=4, group_by_length=group, accumulation=4),
                tmp_path / str(group),
                tmp_path / f"work-{group}",
            )
        )["run"]["padding_share"]
        for group in (True, False)
    ]
    assert shares[0] < shares[1]


def test_schedule_ends_where_it_should_under_accumulation(model, tmp_path):
    spec = train_spec(model, schedule="linear", warmup=0.25, epochs=0, steps=8, log_every=1)
    rates = [
        line["learning_rate"]
        for line in lines(run_train(spec, tmp_path / "out", tmp_path / "work"))
        if "loss" in line
    ]
    assert rates == pytest.approx([0, 5e-3, 1e-2, 5e-2 / 6, 4e-2 / 6, 3e-2 / 6, 2e-2 / 6, 1e-2 / 6])


def test_bfloat16_keeps_trained_parameters_in_float32(model, tmp_path):
    spec = train_spec(model, dtype="bfloat16", steps=2)
    artifact = run_train(spec, tmp_path / "out", tmp_path / "work")
    tensors = load_file(next((artifact / "model").glob("*.safetensors")))
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}


def test_bfloat16_adapter_is_float32_on_a_bfloat16_base(model, tmp_path):
    spec = train_spec(model, adapter=LORA, dtype="bfloat16", steps=2)
    artifact = run_train(spec, tmp_path / "out", tmp_path / "work")
    tensors = load_file(next((artifact / "model").glob("*.safetensors")))
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}


def test_head_of_a_model_with_adapters_sees_supervised_positions_only(model, tmp_path):
    base, _ = load_model(ModelRef(str(model)))
    adapted = METHODS["lora"].attach(base, LORA, "base")
    seen = []
    base.lm_head.register_forward_hook(lambda _, args, out: seen.append(out.shape[1]))
    trainer = make_trainer(tmp_path, token_rows(), model=adapted)
    trainer.train()
    assert seen == [sum(trainer.state.log_history[0][f"tokens/task/{t}"] for t in NAMES)]


def test_adapter_names_its_base_and_no_path(model, tmp_path):
    spec = train_spec(model, adapter=LORA, steps=1)
    artifact = run_train(spec, tmp_path / "out", tmp_path / "work")
    config = json.loads((artifact / "model" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == spec.model


def test_without_a_share_there_is_no_validation(model, tmp_path):
    spec = train_spec(model, valid_share=0.0, steps=2)
    assert card(run_train(spec, tmp_path / "out", tmp_path / "work"))["validation"] == {}


class Counted(Silent):
    """Progress that keeps its numbers."""

    def __init__(self):
        self.total = self.done = 0

    def start(self, label, total):
        self.total = total

    def advance(self, count=1, note=""):
        self.done += count


def test_progress_counts_every_step_of_a_resumed_run(model, tmp_path):
    spec, progress = train_spec(model, checkpoint_every=2), Counted()
    with pytest.raises(Power):
        run_train(spec, tmp_path / "cut", tmp_path / "work", progress=CutAt(5))
    run_train(spec, tmp_path / "out", tmp_path / "work", progress=progress)
    assert progress.done == progress.total == 12


def diverged(folder, **options):
    llama = tiny_llama()
    with torch.no_grad():
        llama.lm_head.weight[50] = math.inf
    return make_trainer(folder, token_rows(), model=llama, **options)


def test_loss_that_is_not_finite_stops_before_the_step(tmp_path):
    trainer = diverged(tmp_path)
    llama = trainer.module
    before = llama.model.layers[0].mlp.up_proj.weight.clone()
    with pytest.raises(EngineError, match=r"loss of task 'completion' is nan in step 1"):
        trainer.train()
    assert torch.equal(llama.model.layers[0].mlp.up_proj.weight, before)


@pytest.mark.parametrize("split", [{}, {"batch": 2, "accumulation": 4}], ids=["whole", "split"])
@pytest.mark.parametrize(
    "balancer", ["famo", "focal_task", "gls", "imtl", "mgda", "nash_mtl", "upgrad"]
)
def test_diverged_run_is_not_blamed_on_its_balancer(balancer, split, tmp_path):
    trainer = diverged(tmp_path, balancer=balancer, **split)
    with pytest.raises(EngineError, match=r"'completion' is nan in step 1; lower optim\.lr"):
        trainer.train()


def test_diverged_run_in_micro_scope_is_not_blamed_on_its_balancer(tmp_path):
    trainer = diverged(tmp_path, balancer="famo", scope="micro", batch=2, accumulation=4)
    with pytest.raises(EngineError, match=r"loss of task '\w+' is nan in step 1"):
        trainer.train()


class Greedy(Silent):
    """Progress that asks for a petabyte at the first step."""

    def advance(self, count=1, note=""):
        torch.empty(1 << 50, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("padding", "setting"), [("packed", "pack_length"), ("fixed", "max_length")]
)
def test_memory_that_ends_is_said_in_one_line(model, padding, setting, tmp_path):
    spec = train_spec(model, padding=padding)
    with pytest.raises(
        EngineError, match=f"memory does not hold .* by full; lower optim.{setting}"
    ):
        run_train(spec, tmp_path / "a", tmp_path / "w", progress=Greedy())


def test_losses_after_the_step_can_be_asked_for(tmp_path):
    trainer = make_trainer(tmp_path, token_rows(), lr=1e-2, warmup=0.0)
    seen = []
    trainer.recipe.balancer.after_step = lambda probe: seen.append(
        (probe.losses, probe.losses_after())
    )
    trainer.train()
    ((before, after),) = seen
    assert (after < before).all()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"schedule": "cosin"}, "unknown schedule 'cosin'.*did you mean 'cosine'"),
        ({"batch": 0}, "optim.batch is 0"),
        ({"warmup": 3.0}, "optim.warmup is 3.0; it must be a share"),
        ({"valid_share": 1.0}, "optim.valid_share is 1.0"),
    ],
)
def test_setting_that_cannot_be_trained_with_is_named(model, setting, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        run_train(train_spec(model, **setting), tmp_path / "out", tmp_path / "work")


def test_unknown_adapter_target_is_named(model, tmp_path):
    spec = train_spec(model, adapter=Adapter("lora", targets=("no_such_module",)))
    with pytest.raises(UsageError, match=r"adapter.targets \['no_such_module'\]"):
        run_train(spec, tmp_path / "out", tmp_path / "work")


def test_nothing_is_printed(model, tmp_path, capfd):
    run_train(train_spec(model, steps=3, checkpoint_every=1), tmp_path / "out", tmp_path / "work")
    assert capfd.readouterr() == ("", "")


def test_scripted_trainer_writes_a_function_of_spec_and_rows(tmp_path):
    texts = []
    for name in "ab":
        out = tmp_path / name
        prompts = {task: Prompt() for task in examples()}
        scripted.train(train_spec("nano"), examples(), prompts, out, tmp_path, Silent())
        texts.append([(out / file).read_bytes() for file in ("card.json", "metrics.jsonl")])
    assert texts[0] == texts[1]
