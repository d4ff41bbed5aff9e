import pytest
from tiny_llama import save_tiny_llama
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from mftbench.errors import UsageError
from mftbench.formats import FORMATS, TURN_ENDS, encode, encode_all, render_prompt, stops
from mftbench.models import load_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return load_tokenizer(str(save_tiny_llama(tmp_path_factory.mktemp("tiny"))))


def test_mftcoder_format_is_the_published_string(tokenizer):
    assert render_prompt("mftcoder", "Add {x}.", tokenizer) == "<s>human\nAdd {x}.\n<s>bot\n"


def test_first_mftcoder_format_is_the_published_string(tokenizer):
    expected = "<|role_start|>human<|role_end|>Add.<|role_start|>bot<|role_end|>"
    assert render_prompt("mftcoder-v1", "Add.", tokenizer) == expected


def test_plain_format_changes_nothing(tokenizer):
    assert render_prompt("plain", "def f():\n", tokenizer) == "def f():\n"


def test_chat_format_is_the_tokenizers_own_template(tokenizer):
    tokenizer.chat_template = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}>"
    assert render_prompt("chat", "Add.", tokenizer) == "[user]Add.>"


def test_chat_format_without_template_says_what_to_choose(tokenizer):
    tokenizer.chat_template = None
    with pytest.raises(UsageError, match="no chat template; choose another format: plain"):
        render_prompt("chat", "Add.", tokenizer)


def test_unknown_format_suggests_the_nearest(tokenizer):
    with pytest.raises(UsageError, match="did you mean 'mftcoder'"):
        render_prompt("mftcodr", "Add.", tokenizer)


def test_stops_of_a_continued_text_hold_in_plain_only():
    sequences = ("\ndef", "[DONE]", *TURN_ENDS, "\n\n")
    assert stops("plain", sequences) == sequences
    for format in FORMATS[1:]:
        assert stops(format, sequences) == ("[DONE]", *TURN_ENDS)


def test_every_format_has_a_name():
    assert FORMATS == ("plain", "mftcoder", "mftcoder-v1", "chat")


def test_prompt_tokens_are_those_that_inference_starts_from(tokenizer):
    encoded = encode("mftcoder", "def add", " return left", tokenizer)
    rendered = render_prompt("mftcoder", "def add", tokenizer)
    start = tokenizer(rendered, add_special_tokens=False).input_ids
    assert encoded.input_ids[: encoded.prompt_length] == start


def test_completion_ends_with_end_of_text(tokenizer):
    encoded = encode("plain", "def add", " return left", tokenizer)
    *completion, end = encoded.input_ids[encoded.prompt_length :]
    assert (tokenizer.decode(completion), end) == (" return left", tokenizer.eos_token_id)


def test_nothing_is_put_before_the_prompt(tokenizer):
    assert tokenizer.decode(encode("plain", "def", "x", tokenizer).input_ids) == "defx<|end|>"


def test_many_pairs_are_encoded_as_each_alone(tokenizer):
    pairs = [("def f", "return 1"), ("", "x"), ("SELECT", "")]
    assert encode_all("mftcoder", pairs, tokenizer) == [
        encode("mftcoder", *pair, tokenizer) for pair in pairs
    ]


def test_tokenizer_without_end_of_text_is_refused(tokenizer):
    end, tokenizer.eos_token = tokenizer.eos_token, None
    with pytest.raises(UsageError, match="no end-of-text token"):
        encode("plain", "a", "b", tokenizer)
    tokenizer.eos_token = end


def metaspace(made):
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)


def legacy(made):
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )


@pytest.fixture(params=[metaspace, legacy])
def spaced(request):
    """A small tokenizer of sentencepiece's kind: it puts a space before each text."""
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    request.param(made)
    made.decoder = decoders.Metaspace(prepend_scheme="first")
    trainer = trainers.BpeTrainer(
        vocab_size=90, special_tokens=["<unk>", "</s>"], show_progress=False
    )
    made.train_from_iterator(["ask me\nreturn x + y\n  if x:\n    return y"] * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", eos_token="</s>")


def test_completion_has_no_space_that_the_tokenizer_would_put_before_a_text(spaced):
    alone = spaced("return x", add_special_tokens=False).input_ids
    assert spaced.convert_ids_to_tokens(alone)[0].startswith("\u2581")
    row = encode("plain", "ask me\n", "return x", spaced)
    tokens = spaced.convert_ids_to_tokens(row.input_ids[row.prompt_length :])
    assert "".join(tokens) == "return\u2581x</s>"


def test_indentation_of_a_completion_is_kept(spaced):
    row = encode("plain", "ask me\n", "  if x", spaced)
    tokens = spaced.convert_ids_to_tokens(row.input_ids[row.prompt_length :])
    assert "".join(tokens) == "\u2581\u2581if\u2581x</s>"
