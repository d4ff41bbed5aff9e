from __future__ import annotations

from dataclasses import replace

import pytest
from fake_vllm import write_fake_vllm
from test_run import STUDY, bench
from tiny_llama import save_tiny_llama

from mftbench.inference import automatic
from mftbench.inference.automatic import Load, choose
from mftbench.models import load_model
from mftbench.models.size import parameters
from mftbench.stages import ModelRef

LARGE = Load(tokens=10**7, parameters=10**9)
SMALL = Load(tokens=10**4, parameters=10**6)


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    monkeypatch.setattr(automatic, "has_gpu", lambda: False)


@pytest.fixture
def options(tmp_path):
    return {"python": str(write_fake_vllm(tmp_path)), "adapters_at_once": 2}


def test_vllm_is_chosen_where_it_is_worth_its_start(options):
    choice = choose(LARGE, options, "float32")
    assert (choice.engine, choice.options) == ("vllm", options)
    assert "vLLM 0.0.1 is worth its start: 10,000,000 tokens at most" in choice.reason


def test_transformers_is_chosen_where_it_is_not_and_gets_only_its_own_options(options):
    choice = choose(SMALL, options, "float32")
    assert (choice.engine, choice.options) == ("transformers", {})
    assert "starts for 30 s to save 0 s" in choice.reason


def test_without_vllm_transformers_is_chosen_however_much_there_is_to_do():
    choice = choose(LARGE, {"python": "/no/such/python"}, "float32")
    assert choice.engine == "transformers"
    assert choice.reason == "no vLLM in /no/such/python"


def test_a_gpu_makes_vllm_worth_its_start(options, monkeypatch):
    monkeypatch.setattr(automatic, "has_gpu", lambda: True)
    assert choose(SMALL, options, "float32").engine == "vllm"


def test_a_study_that_names_no_engine_is_planned_with_the_chosen_one(tmp_path):
    study = replace(STUDY, engine="auto", engine_options={"python": "/no/such/python"})
    with bench(tmp_path, study=study) as opened:
        context = opened.context()
        assert opened.choice.reason == "no vLLM in /no/such/python"
    assert (context.engine, context.engine_options) == ("transformers", {})


def test_the_fastest_type_is_one_that_engines_take(tmp_path):
    with bench(tmp_path, study=replace(STUDY, engine_dtype="auto")) as opened:
        assert opened.context().engine_dtype in ("float32", "bfloat16")


@pytest.mark.needs_smollm2
def test_a_published_model_counts_with_its_published_size(tmp_path, options):
    study = replace(STUDY, models=("smollm2",), engine="auto", engine_options=options)
    with bench(tmp_path / "store", study=study) as opened:
        assert opened.choice.reason.endswith("of 134 M parameters")


def test_a_models_size_is_read_from_its_files(tmp_path):
    save_tiny_llama(tmp_path)
    model, _ = load_model(ModelRef(str(tmp_path)))
    assert parameters(str(tmp_path)) == sum(weights.numel() for weights in model.parameters())
