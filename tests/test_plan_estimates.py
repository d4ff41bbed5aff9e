"""Estimates: counts that can be checked against models and data, and time from stated rates."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import pytest
from safetensors import safe_open
from test_run import STUDY, bench

from mftbench.commands.plan_table import duration
from mftbench.errors import StoreError
from mftbench.estimates.estimate import estimate
from mftbench.estimates.memory import generating_memory, training_memory
from mftbench.estimates.planned import planned_seconds
from mftbench.estimates.rates import Rates, read_rates, stated, write_rates
from mftbench.estimates.shapes import KNOWN, Shape, shape_of
from mftbench.estimates.work import Work
from mftbench.plan import plan
from mftbench.run import run
from mftbench.stages import Adapter, Optim, Sampling

TINY = Shape(layers=2, hidden=8, inner=16, heads=2, kv_heads=1, vocabulary=10)
RATES = Rates(training=600.0, generating=20.0, executing=5.0, basis="made up")


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("codellama/CodeLlama-13b-Python-hf", 13.0),
        ("codellama/CodeLlama-34b-Python-hf", 33.7),
        ("bigcode/starcoder", 15.5),
        ("Qwen/Qwen-14B", 14.2),
        ("smollm2", 0.1345),
    ],
)
def test_parameters_of_a_published_shape_are_the_published_ones(name, billions):
    assert KNOWN[name].parameters / 1e9 == pytest.approx(billions, rel=0.01)


def test_parameters_of_the_built_in_model_are_those_in_its_file():
    path = files("mftbench.starter") / "nano" / "model.safetensors"
    with safe_open(str(path), "pt") as weights:
        count = sum(weights.get_tensor(name).numel() for name in weights.keys())  # noqa: SIM118
    found = shape_of("nano")
    assert found is not None
    assert found[0].parameters == pytest.approx(count, rel=0.002)


def test_a_hub_revision_has_the_shape_of_its_model():
    assert shape_of("bigcode/starcoder@abc") == shape_of("bigcode/starcoder")


def test_an_unknown_model_has_no_shape():
    assert shape_of("someone/something") is None


def test_a_configuration_in_gpt2s_words_is_read(tmp_path):
    config = {"model_type": "gpt_bigcode", "n_layer": 40, "n_embd": 6144, "n_head": 48}
    more = {"n_inner": 24576, "multi_query": True, "vocab_size": 49152}
    (tmp_path / "config.json").write_text(json.dumps(config | more))
    assert shape_of(str(tmp_path))[0] == KNOWN["bigcode/starcoder"]


def test_heads_may_be_wider_than_their_share(tmp_path):
    config = {"num_hidden_layers": 28, "hidden_size": 1024, "num_attention_heads": 16}
    more = {"num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936}
    (tmp_path / "config.json").write_text(json.dumps({"text_config": config | more}))
    shape, _ = shape_of(str(tmp_path))
    assert (shape.width, shape.kv_width) == (2048, 1024)


def test_a_configuration_that_says_too_little_gives_no_shape(tmp_path):
    (tmp_path / "config.json").write_text('{"hidden_size": 8}')
    assert shape_of(str(tmp_path)) is None


def test_a_lora_trains_little_and_holds_little():
    full = training_memory(KNOWN["smollm2"], Adapter("full"), Optim(dtype="bfloat16"))
    lora = training_memory(KNOWN["smollm2"], Adapter("lora"), Optim(dtype="bfloat16"))
    assert lora.optimizer < full.optimizer / 20
    assert lora.weights == full.weights / 2  # bf16 beside 32 bits


def test_a_mixture_of_experts_trains_as_many_loras():
    lora = training_memory(TINY, Adapter("lora"), Optim())
    poly = training_memory(TINY, Adapter("poly", experts=3), Optim())
    assert poly.adapters == 3 * lora.adapters
    assert poly.optimizer == 3 * lora.optimizer


def test_activations_grow_with_the_micro_batch_and_not_with_the_accumulation():
    one = training_memory(TINY, Adapter(), Optim(batch=1, accumulation=8))
    two = training_memory(TINY, Adapter(), Optim(batch=2, accumulation=1))
    assert two.activations == 2 * one.activations


def test_activations_of_a_packed_training_are_those_of_a_pack():
    rows = training_memory(TINY, Adapter(), Optim(batch=3, max_length=100))
    packed = Optim(batch=3, max_length=100, padding="packed", pack_length=300)
    assert training_memory(TINY, Adapter(), packed).activations == rows.activations
    one = training_memory(TINY, Adapter(), Optim(batch=3, max_length=100, padding="packed"))
    assert one.activations == rows.activations / 3


def test_the_cache_holds_keys_and_values_of_every_token():
    memory = generating_memory(TINY, Sampling(batch=3), "bfloat16", 7)
    assert memory.kv_cache == 2 * TINY.layers * 4 * 2 * 7 * 3  # a width of 4, 2 bytes


def test_time_follows_the_operations():
    work = Work(tokens=100, prompt_tokens=6, new_tokens=4, executions=10)
    assert RATES.seconds(work, 2) == {"train": 2.0, "generate": 2.0, "execute": 2.0}
    assert RATES.seconds(work, 2, frozen_base=True)["train"] == pytest.approx(4 / 3)


def test_measured_rates_are_kept_with_the_store(tmp_path):
    assert read_rates(tmp_path) is None
    write_rates(tmp_path, RATES)
    assert read_rates(tmp_path) == RATES


@pytest.mark.parametrize("damage", ["{", "{}", "[]", '{"training": 1}'])
def test_damaged_rates_are_none_with_a_warning_that_says_what_to_do(tmp_path, damage, caplog):
    (tmp_path / "calibration.json").write_text(damage)
    assert read_rates(tmp_path) is None
    assert "mftbench plan --calibrate" in caplog.text


def test_rates_of_a_store_that_is_a_file_end_with_one_line(tmp_path):
    (tmp_path / "store").touch()
    with pytest.raises(StoreError, match="cannot write to the store"):
        write_rates(tmp_path / "store", RATES)


def test_a_stated_device_says_what_was_assumed():
    assert "989 Tflop/s, 40% of it in training" in stated(989).basis


def estimates(folder, study=STUDY, rates=None):
    with bench(folder, study=study) as opened:
        return estimate(opened, plan(study, opened.context()), rates)


def test_work_is_counted_from_the_data(tmp_path):
    study = replace(STUDY, optim=replace(STUDY.optim, batch=4, epochs=2.0))
    base, first, *_, mft = [each.work for each in estimates(tmp_path, study).cells]
    assert (base.rows, base.steps, base.generations, base.executions) == (0, 0, 8, 8)
    assert (first.rows, first.steps, first.generations) == (6, 3, 4)
    assert (mft.rows, mft.steps) == (12, 6)
    assert mft.tokens > first.tokens > 0


def test_a_budget_of_tokens_is_what_is_trained_on(tmp_path):
    study = replace(STUDY, optim=replace(STUDY.optim, tokens=5000))
    assert estimates(tmp_path, study).cells[1].work.tokens == 5000


def test_every_estimate_says_what_it_rests_on(tmp_path):
    basis = "\n".join(estimates(tmp_path, rates=RATES).basis)
    for part in ("tokenizer's", "upper bound", "config.json", "by formula", "made up"):
        assert part in basis


def test_a_plan_says_which_engine_and_why(tmp_path):
    assert "engine: transformers in float32, named by the study" in estimates(tmp_path).basis
    study = replace(STUDY, engine="auto", engine_options={"python": "/no/such/python"})
    told = "engine: transformers in float32, no vLLM in /no/such/python"
    assert told in estimates(tmp_path, study).basis


def test_without_rates_there_is_no_time(tmp_path):
    assert estimates(tmp_path).seconds is None
    assert estimates(tmp_path, rates=RATES).seconds > 0


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "?"), (90, "90 s"), (600, "10 min"), (7.2e6, "2,000.0 h")]
)
def test_durations_are_for_people(seconds, text):
    assert duration(seconds) == text


def test_what_is_left_is_planned_and_what_is_stored_is_not(tmp_path):
    write_rates(tmp_path, RATES)
    with bench(tmp_path) as opened:
        before = planned_seconds(opened)
        run(opened)
        assert before == pytest.approx(estimates(tmp_path, rates=RATES).seconds)
        assert planned_seconds(opened) is None


def test_a_machine_that_was_not_measured_promises_nothing(tmp_path):
    with bench(tmp_path) as opened:
        assert planned_seconds(opened) is None
