import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from mftbench.inference.text import Detokenizer, cut


def sentencepiece_like():
    pieces = ["<unk>", ":", "▁", "▁▁▁", "▁return", "return", "\n", "x"]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer), vocabulary


def test_leading_spaces_of_a_completion_survive_a_tokenizer_that_strips_them():
    tokenizer, vocabulary = sentencepiece_like()
    ids = [vocabulary["▁▁▁"], vocabulary["▁return"]]
    assert tokenizer.decode(ids) == "   return"
    assert Detokenizer(tokenizer).text(ids) == "    return"


@pytest.mark.parametrize(
    ("text", "stop", "expected"),
    [
        ("return 1\n\nx", ("\n\n",), ("return 1", True)),
        ("a END b STOP", ("STOP", "END"), ("a ", True)),
        ("\n\nx", ("\n\n",), ("", True)),
        ("abc", ("d", ""), ("abc", False)),
        ("abc", (), ("abc", False)),
    ],
)
def test_text_is_cut_before_the_first_of_its_stop_sequences(text, stop, expected):
    assert cut(text, stop) == expected
