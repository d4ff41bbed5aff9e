import json
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig  # noqa: E402

from mftbench.starter import pretrain  # noqa: E402
from mftbench.starter.suite import programs, queries  # noqa: E402

LOG = json.loads((pretrain.NANO / "log.json").read_text())
RECIPE = pretrain.Recipe(**LOG["recipe"])
TOKENIZER = AutoTokenizer.from_pretrained(pretrain.NANO)


@pytest.fixture(scope="module")
def model():
    return AutoModelForCausalLM.from_pretrained(pretrain.NANO, dtype=torch.float32).eval()


@pytest.fixture
def logged_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(RECIPE.threads)
    yield
    torch.set_num_threads(before)


def test_shipped_files_stay_small():
    assert sum(file.stat().st_size for file in pretrain.NANO.iterdir()) < 10_000_000


def test_log_records_the_recipe_that_the_script_runs():
    assert pretrain.Recipe() == RECIPE


def test_log_ends_where_its_curve_ends():
    assert LOG["losses"][-1][0] == RECIPE.steps
    assert LOG["final_loss"] == pytest.approx(LOG["losses"][-1][1], abs=0.15)
    assert LOG["documents"] == RECIPE.steps * RECIPE.batch


def test_the_script_makes_the_shipped_tokenizer():
    made = pretrain.make_tokenizer(RECIPE)
    assert made.get_vocab() == TOKENIZER.get_vocab()


def test_the_script_reproduces_the_first_logged_losses(logged_threads):
    data = pretrain.batches(RECIPE, TOKENIZER)
    untrained = pretrain.make_model(RECIPE, TOKENIZER)
    losses = list(islice(pretrain.train(RECIPE, untrained, data), 3))
    # bfloat16 products differ a little between processors.
    assert losses == pytest.approx(LOG["first_losses"][:3], abs=5e-3)


def test_the_weights_have_the_logged_loss_on_new_documents(model):
    batches = pretrain.batches(replace(RECIPE, seed=RECIPE.seed + 1), TOKENIZER)
    losses = []
    with torch.inference_mode():
        for batch in islice(batches, 8):
            losses.append(model(input_ids=batch.ids, labels=batch.labels).loss.item())
    assert sum(losses) / len(losses) == pytest.approx(LOG["final_loss"], abs=0.15)


def test_the_model_is_a_small_llama_with_tied_embeddings(model):
    assert model.config.model_type == "llama"
    assert model.config.tie_word_embeddings
    assert model.num_parameters() == LOG["parameters"] < 5_000_000
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_special_tokens_are_set_and_generation_ends_on_the_end_of_text():
    assert (TOKENIZER.pad_token, TOKENIZER.bos_token, TOKENIZER.eos_token) == (
        "<pad>",
        "<s>",
        "</s>",
    )
    assert GenerationConfig.from_pretrained(pretrain.NANO).eos_token_id == TOKENIZER.eos_token_id


@given(st.text())
def test_every_text_survives_the_tokenizer(text):
    for special in ("<pad>", "<s>", "</s>"):
        text = text.replace(special, "")
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    assert TOKENIZER.decode(ids) == text


def test_items_are_short_in_tokens():
    items = programs("train", 200, difficulty=2, seed=0, task="completion")
    lengths = [len(TOKENIZER(item.python)["input_ids"]) for item in items]
    asked = [len(TOKENIZER(item.tables + item.question + item.query)["input_ids"])
             for item in queries("train", 200, difficulty=2, seed=0)]  # fmt: skip
    assert sum(lengths) / len(lengths) < 70
    assert sum(asked) / len(asked) < 110


def test_a_chat_is_rendered():
    text = TOKENIZER.apply_chat_template(
        [{"role": "user", "content": "hi"}], tokenize=False, add_generation_prompt=True
    )
    assert text == "<s>user\nhi\n<s>assistant\n"
