"""The host's side of the vLLM engine, with a fake in vLLM's place."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fake_vllm import write_fake_vllm
from test_run import STUDY
from tiny_llama import save_tiny_llama

from mftbench.bench import Bench, Options, Seams
from mftbench.errors import EngineError, UsageError
from mftbench.inference.engine import Completion, Request
from mftbench.inference.jobs import Job, served
from mftbench.inference.vllm.engine import VllmEngine
from mftbench.inference.vllm.serving import serving
from mftbench.models import locate
from mftbench.progress import Silent
from mftbench.run import run
from mftbench.sandbox.scripted import Scripted
from mftbench.stages import ModelRef, Sampling
from mftbench.store_at import StoreAt
from mftbench.training.scripted import train

BASE = ModelRef("nano")
SAMPLING = Sampling(batch=4)


@pytest.fixture
def fake(tmp_path):
    return write_fake_vllm(tmp_path / "fake")


@pytest.fixture
def engine(fake):
    engine = VllmEngine(python=str(fake))
    yield engine
    engine.close()


def requests(count=4, prompt="def solve(x):\n"):
    return tuple(
        Request(f"p{index}", 0, prompt + "x" * index, (), 6, index) for index in range(count)
    )


def adapter(folder, **changes):
    """Write an adapter's record without weights: all that decides how it is served."""
    folder.mkdir()
    record = {"peft_type": "LORA", "r": 6, "base_model_name_or_path": "nano", **changes}
    (folder / "adapter_config.json").write_text(json.dumps(record))
    return ModelRef("nano", folder, adapter=True)


def made(fake):
    return (fake.parent / "vllm" / "made.txt").read_text().split()


def test_the_version_is_read_without_importing_vllm(engine):
    assert engine.version == "0.0.1+products2"


def test_an_interpreter_without_vllm_is_a_usage_error_that_names_the_script():
    with pytest.raises(UsageError, match=r"has no vLLM; make an environment with scripts/vllm-cpu"):
        VllmEngine(python=sys.executable)


def test_an_interpreter_that_is_not_there_is_a_usage_error():
    with pytest.raises(UsageError, match="cannot run '/no/such/python'"):
        VllmEngine(python="/no/such/python")


def test_base_and_adapters_come_from_one_start(engine, tmp_path):
    refs = [BASE, *(adapter(tmp_path / f"a{index}") for index in range(3))]
    jobs = [Job(ref, requests(), SAMPLING) for ref in refs]
    answers = {(job, each.problem): each.text for job, each in engine.generate_all(jobs)}
    assert engine.starts == 1
    assert len(answers) == 16
    assert len({answers[job, "p0"] for job in range(4)}) == 4


def test_an_engine_that_is_killed_goes_on_with_what_is_missing(engine, fake):
    (fake.parent / "vllm" / "dies_after").write_text("2")
    completions = list(engine.generate(BASE, requests(), SAMPLING))
    assert sorted(each.problem for each in completions) == ["p0", "p1", "p2", "p3"]
    assert engine.starts == 2
    assert sorted(made(fake)) == ["0", "1", "2", "3"]


def test_an_engine_that_always_dies_ends_with_its_last_words(engine, fake):
    (fake.parent / "vllm" / "always_dies").touch()
    with pytest.raises(EngineError, match="RuntimeError: out of blocks, 3 times without finishing"):
        list(engine.generate(BASE, requests(), SAMPLING))
    assert engine.starts == 3


def test_an_engine_that_forgets_prompts_is_not_asked_for_ever(engine, fake):
    (fake.parent / "vllm" / "forgets").touch()
    with pytest.raises(EngineError, match="left prompts unanswered, 3 times without finishing"):
        list(engine.generate(BASE, requests(), SAMPLING))
    assert engine.starts == 3


def test_an_adapter_of_another_base_ends_its_own_job_alone(engine, tmp_path):
    other = adapter(tmp_path / "other", base_model_name_or_path=str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    jobs = [Job(other, requests(), SAMPLING), Job(BASE, requests(), SAMPLING)]
    answers = list(engine.generate_all(jobs))
    assert "was trained on" in str(answers[0][1])
    assert [job for job, answer in answers if isinstance(answer, Completion)] == [1] * 4


def test_a_prompt_that_fills_the_context_is_refused_and_the_rest_is_made(engine):
    long = Request("long", 0, "total = 0\n" * 500, (), 6, 0)
    completions = {
        each.problem: each for each in engine.generate(BASE, [long, *requests(1)], SAMPLING)
    }
    assert completions["long"].finish == "too_long"
    assert completions["p0"].finish == "length"


def test_an_empty_prompt_is_asked_as_the_token_that_starts_a_text(engine):
    (completion,) = engine.generate(BASE, [replace(requests(1)[0], prompt="")], SAMPLING)
    assert (completion.tokens, completion.finish) == (1, "length")  # one token, turned round


def test_a_tokenizer_of_another_model_is_named_and_nothing_is_started(engine, tmp_path):
    small = save_tiny_llama(tmp_path / "small")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (small / name).write_bytes((Path(locate("nano").path) / name).read_bytes())
    with pytest.raises(EngineError, match=r"gives token \d+ in p\d, but the model knows"):
        list(engine.generate(ModelRef(str(small)), requests(), SAMPLING))
    assert engine.starts == 0


def test_the_engine_has_room_for_the_longest_prompt_and_no_more(engine, fake):
    list(engine.generate(BASE, requests(), SAMPLING))
    (opened,) = (fake.parent / "vllm" / "opened.txt").read_text().splitlines()
    assert "'max_model_len': 64," in opened
    assert f"'kv_cache_memory_bytes': {5 * 128 * 2 * 4 * 4 * 64 * 4}" in opened


def test_a_model_is_divided_over_gpus_where_that_is_asked(fake):
    divided = VllmEngine(python=str(fake), tensor_parallel=2)
    list(divided.generate(BASE, requests(), SAMPLING))
    divided.close()
    assert "'tensor_parallel_size': 2" in (fake.parent / "vllm" / "opened.txt").read_text()
    with pytest.raises(UsageError, match="tensor_parallel of vLLM is 0; give at least 1"):
        VllmEngine(python=str(fake), tensor_parallel=0)


def test_a_reader_who_stops_early_leaves_no_answers_behind(engine):
    first = next(engine.generate(BASE, requests(), SAMPLING))
    rest = list(engine.generate(BASE, requests(), SAMPLING))
    assert sorted(each.problem for each in rest) == ["p0", "p1", "p2", "p3"]
    assert first in rest


def test_an_engine_that_computes_otherwise_is_closed_and_not_asked_again(engine, tmp_path):
    base, whole = (save_tiny_llama(tmp_path / name, seed=seed) for seed, name in enumerate("bw"))
    job = Job(ModelRef(str(base), whole), requests(), SAMPLING)
    for _ in range(2):
        ((_, refusal),) = engine.generate_all([job])
        assert "vLLM computes other than transformers does" in str(refusal)
        assert engine.pid is None


def test_closing_ends_the_process(engine):
    list(engine.generate(BASE, requests(1), SAMPLING))
    assert engine.pid is not None
    engine.close()
    assert engine.pid is None


@pytest.mark.parametrize(
    ("changes", "how", "reason"),
    [
        ({}, "adapter", ""),
        ({"r": 96}, "adapter", ""),
        ({"r": 1000}, "merged", "rank above 512"),
        ({"use_dora": True}, "merged", "DoRA"),
        ({"bias": "lora_only"}, "merged", "bias 'lora_only'"),
        ({"modules_to_save": ["lm_head"]}, "merged", "modules_to_save"),
        ({"init_lora_weights": "pissa"}, "merged", "initialisation 'pissa'"),
        ({"init_lora_weights": "gaussian"}, "adapter", ""),
        ({"peft_type": "IA3"}, "merged", "peft type IA3"),
    ],
)
def test_what_vllm_does_not_serve_beside_the_base_is_merged(tmp_path, changes, how, reason):
    served = serving(adapter(tmp_path / "a", **changes))
    assert served.how == how
    assert reason in served.reason


def test_the_record_says_what_was_merged_and_why(engine, tmp_path):
    dora = adapter(tmp_path / "dora", use_dora=True)
    records = [served(engine, ref) for ref in (BASE, dora, ModelRef("nano", tmp_path))]
    assert [(record["weights"], record["reason"]) for record in records] == [
        ("base", ""),
        ("merged", "vLLM does not serve DoRA"),
        ("full", "a whole model"),
    ]


def test_ranks_are_rounded_up_to_those_that_vllm_has(tmp_path):
    ranks = {4: 8, 8: 8, 96: 128, 300: 320}
    for rank, rounded in ranks.items():
        assert serving(adapter(tmp_path / str(rank), r=rank)).rank == rounded


def test_a_study_whose_engine_is_killed_finishes_and_makes_nothing_twice(fake, tmp_path):
    lora = replace(STUDY.adapter, kind="lora")
    options = {"python": str(fake)}
    study = replace(STUDY, adapter=lora, engine="vllm", engine_options=options)
    seams = Seams(train, sandbox=Scripted())
    (fake.parent / "vllm" / "dies_after").write_text("3")
    with Bench(study, Options(StoreAt(tmp_path / "store"), workers=1), Silent(), seams) as opened:
        engine = opened.engine
        outcome = run(opened)
    assert engine.starts == 2
    base = [row for row in outcome.rows if row.mode == "base"]
    assert [(row.task, row.missing) for row in base] == [("completion", 0), ("text_to_code", 0)]
    records = [
        json.loads(path.read_text()) for path in tmp_path.glob("store/generate/*/served.json")
    ]
    assert {record["weights"] for record in records} == {"base"}
    assert len(made(fake)) == 8  # two tasks of four problems; a fake training makes no model
