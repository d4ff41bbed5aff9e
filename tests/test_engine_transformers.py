import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tiny_llama import save_tiny_gpt2, save_tiny_llama

from mftbench.errors import EngineError, PluginError, UsageError
from mftbench.inference import transformers_engine
from mftbench.inference.engine import Request
from mftbench.inference.transformers_engine import TransformersEngine
from mftbench.models import load_model, locate
from mftbench.stages import ModelRef, Sampling
from mftbench.testing.engine import check_engine

GREEDY = Sampling(batch=4)
PROMPTS = ["def add(", "SELECT name FROM", "x", "", "for value in values:\n    result"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def adapter(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("adapter")
    base, _ = load_model(ModelRef(str(folder)))
    torch.manual_seed(3)
    config = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(base, config).save_pretrained(path)
    return path


@pytest.fixture
def engine():
    engine = TransformersEngine(device="cpu")
    yield engine
    engine.close()


def requests(count=5, **fields):
    base = Request("", 0, "", (), 24, 0)
    return [
        replace(base, problem=f"p{index}", prompt=PROMPTS[index], seed=index, **fields)
        for index in range(count)
    ]


def texts(engine, ref, requests, sampling=GREEDY):
    return {each.problem: each.text for each in engine.generate(ref, requests, sampling)}


def test_transformers_engine_keeps_the_promises_of_an_engine(engine, folder):
    check_engine(engine, ModelRef(str(folder)), max_new_tokens=12)


def test_greedy_completions_are_those_of_transformers_own_generate(engine, folder):
    model, tokenizer = load_model(ModelRef(str(folder)))
    for request in requests():
        if not request.prompt:
            continue
        inputs = tokenizer(request.prompt, return_tensors="pt", add_special_tokens=False)
        ids = model.generate(**inputs, max_new_tokens=24, do_sample=False)[0]
        expected = tokenizer.decode(ids[inputs.input_ids.shape[1] :], skip_special_tokens=True)
        assert texts(engine, ModelRef(str(folder)), [request]) == {request.problem: expected}


def test_a_stop_sequence_over_several_tokens_ends_its_row_early(engine, folder):
    ref = ModelRef(str(folder))
    (whole,) = engine.generate(ref, requests(1), GREEDY)
    stop = whole.text[4:9]
    (cut,) = engine.generate(ref, requests(1, stop=(stop,)), GREEDY)
    assert cut.text == whole.text[: whole.text.index(stop)]
    assert cut.finish == "stop"
    assert cut.tokens < whole.tokens


def test_a_row_that_reaches_its_limit_finishes_by_length(engine, folder):
    (completion,) = engine.generate(ModelRef(str(folder)), requests(1, max_new_tokens=3), GREEDY)
    assert (completion.tokens, completion.finish) == (3, "length")


def test_greedy_samples_are_copies_of_one_completion(engine, folder):
    same = [replace(requests(1)[0], sample=sample, seed=sample) for sample in range(3)]
    completions = list(engine.generate(ModelRef(str(folder)), same, GREEDY))
    assert [each.sample for each in completions] == [0, 1, 2]
    assert len({each.text for each in completions}) == 1


def test_a_prompt_that_fills_the_context_is_not_cut_but_refused(engine, folder):
    long = replace(requests(1)[0], prompt="left + right " * 200)
    (completion,) = engine.generate(ModelRef(str(folder)), [long], GREEDY)
    assert (completion.text, completion.tokens, completion.finish) == ("", 0, "too_long")


def test_an_answer_has_the_room_that_its_prompt_leaves(engine, folder):
    _, tokenizer = load_model(ModelRef(str(folder)))
    prompt = "left + right " * 40
    taken = len(tokenizer(prompt, add_special_tokens=False).input_ids)
    long = replace(requests(1)[0], prompt=prompt, max_new_tokens=10_000)
    (completion,) = engine.generate(ModelRef(str(folder)), [long], GREEDY)
    assert completion.tokens <= 256 - taken


def test_a_row_that_ended_stays_within_learned_positions(engine, folder, tmp_path):
    learned = save_tiny_gpt2(tmp_path, tokenizer=folder, context=32)
    lengths = (28, 26, 25, 25, 25)
    asked = [
        replace(requests(1)[0], problem=f"p{row}", prompt="x" * (length - 1) + str(row))
        for row, length in enumerate(lengths)
    ]
    alone = {}
    for each in asked:
        alone |= texts(engine, ModelRef(str(learned)), [each])
    assert texts(engine, ModelRef(str(learned)), asked, Sampling(batch=5)) == alone


def test_a_stop_sequence_in_the_prompt_ends_nothing(engine, folder):
    ref = ModelRef(str(folder))
    stop = "unlikely stop"
    (plain,) = engine.generate(ref, [replace(requests(1)[0], prompt=stop)], GREEDY)
    (same,) = engine.generate(ref, [replace(requests(1)[0], prompt=stop, stop=(stop,))], GREEDY)
    assert same == plain


def test_a_batch_that_memory_does_not_hold_is_made_in_halves(folder, monkeypatch):
    sizes = []

    class Tight(transformers_engine.Batch):
        def __init__(self, model, prompts):
            sizes.append(len(prompts))
            if len(prompts) > 2:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            super().__init__(model, prompts)

    engine, ref = TransformersEngine(device="cpu"), ModelRef(str(folder))
    expected = texts(engine, ref, requests(), Sampling(batch=2))
    monkeypatch.setattr(transformers_engine, "Batch", Tight)
    assert texts(engine, ref, requests(), Sampling(batch=5)) == expected
    assert sizes == [5, 2, 3, 1, 2]


def test_a_row_that_memory_does_not_hold_is_an_engine_error(folder, monkeypatch):
    def full(model, prompts):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(transformers_engine, "Batch", full)
    with pytest.raises(EngineError, match="on a batch of 1: DefaultCPUAllocator"):
        texts(TransformersEngine(device="cpu"), ModelRef(str(folder)), requests())


def test_little_memory_for_keys_and_values_makes_smaller_batches(folder):
    held = []

    class Counting(transformers_engine.Batch):
        def __init__(self, model, prompts):
            held.append(len(prompts))
            super().__init__(model, prompts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transformers_engine, "Batch", Counting)
        tiny = TransformersEngine(device="cpu", kv_gib=30_000 / 2**30)
        texts(tiny, ModelRef(str(folder)), requests(), Sampling(batch=0))
    assert max(held) < 5
    assert sum(held) == 5


def test_an_adapter_of_another_base_is_refused_by_its_record(engine, folder, adapter, tmp_path):
    other = save_tiny_llama(tmp_path, seed=5)
    with pytest.raises(EngineError, match=r"was trained on .*, not on"):
        texts(engine, ModelRef(str(other), adapter, adapter=True), requests())


def test_an_adapter_of_other_shapes_is_refused_by_its_weights(engine, folder, adapter, tmp_path):
    for file in adapter.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = ""
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(EngineError, match=r"does not fit nano: .* values there"):
        texts(engine, ModelRef("nano", tmp_path, adapter=True), requests())


def test_a_tokenizer_of_another_model_is_named(engine, folder, tmp_path):
    small = save_tiny_llama(tmp_path)
    nano = Path(locate("nano").path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (small / name).write_bytes((nano / name).read_bytes())
    with pytest.raises(EngineError, match=r"gives token \d+ in p\d, but the model knows"):
        texts(engine, ModelRef(str(small)), requests())


def test_an_adapter_changes_the_answers_and_leaves_the_base_as_it_was(engine, folder, adapter):
    base, tuned = ModelRef(str(folder)), ModelRef(str(folder), adapter, adapter=True)
    before = texts(engine, base, requests())
    changed = texts(engine, tuned, requests())
    assert changed != before
    assert texts(engine, base, requests()) == before
    assert texts(engine, tuned, requests()) == changed


def test_an_exchanged_adapter_answers_as_a_freshly_loaded_one(engine, folder, adapter):
    tuned = ModelRef(str(folder), adapter, adapter=True)
    texts(engine, ModelRef(str(folder)), requests())
    fresh = TransformersEngine(device="cpu")
    assert texts(engine, tuned, requests()) == texts(fresh, tuned, requests())


def test_a_trained_whole_model_replaces_the_base(engine, folder, tmp_path):
    other = save_tiny_llama(tmp_path, seed=5)
    trained = texts(engine, ModelRef(str(folder), other), requests())
    assert trained == texts(engine, ModelRef(str(other)), requests())
    assert trained != texts(engine, ModelRef(str(folder)), requests())


def test_bfloat16_is_an_option(folder):
    engine = TransformersEngine(dtype="bfloat16", device="cpu")
    assert len(texts(engine, ModelRef(str(folder)), requests())) == 5


@pytest.mark.needs_bitsandbytes
def test_a_base_in_four_bits_answers_and_says_so():
    engine, ref = TransformersEngine(device="cpu", quantization="nf4"), ModelRef("nano")
    dense = texts(TransformersEngine(device="cpu"), ref, requests())
    held = texts(engine, ref, requests())
    assert held.keys() == dense.keys()
    assert held != dense
    assert engine.served(ref) == {"dtype": "float32", "quantization": "nf4", "adapter": "none"}


def test_nothing_is_loaded_when_all_is_done(engine):
    done = frozenset((f"p{index}", 0) for index in range(5))
    missing_model = ModelRef("/no/such/folder")
    assert list(engine.generate(missing_model, requests(), GREEDY, done)) == []


def test_no_room_for_an_answer_is_a_usage_error(engine, folder):
    with pytest.raises(UsageError, match="max_new_tokens of p0 is 0"):
        list(engine.generate(ModelRef(str(folder)), requests(1, max_new_tokens=0), GREEDY))


@pytest.mark.parametrize(
    ("sampling", "message"),
    [
        (Sampling(batch=-1), r"sampling\.batch is -1; give rows"),
        (Sampling(temperature=-1), r"sampling\.temperature is -1; give 0 or more"),
        (Sampling(temperature=1, top_p=0), r"sampling\.top_p is 0; give more than 0"),
    ],
)
def test_sampling_that_makes_no_sense_is_a_usage_error(engine, folder, sampling, message):
    with pytest.raises(UsageError, match=message):
        list(engine.generate(ModelRef(str(folder)), requests(), sampling))


def test_a_damaged_model_is_an_engine_error_that_names_it(engine, folder, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(EngineError, match=f"cannot load {tmp_path}"):
        list(engine.generate(ModelRef(str(tmp_path)), requests(), GREEDY))


class Forgetful(TransformersEngine):
    """Lets the batches depend on what is done: the mistake that the check is for."""

    def generate(self, model, requests, sampling, done=frozenset()):
        missing = [each for each in requests if (each.problem, each.sample) not in done]
        shifted = [replace(each, seed=index) for index, each in enumerate(missing)]
        return super().generate(model, shifted, sampling)


def test_the_check_finds_an_engine_whose_answers_depend_on_what_is_done(folder):
    with pytest.raises(PluginError, match="when some were already done"):
        check_engine(Forgetful(device="cpu"), ModelRef(str(folder)), max_new_tokens=8)
