"""Trains the nano model's tokenizer: byte-level BPE with single digits."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

VOCABULARY = 1280
PAD, BEGIN, END = "<pad>", "<s>", "</s>"

# A digit alone (arithmetic is learnt by digit), a word with the space before it, signs with the
# spaces around them (" == ", ", "), a line break with its indentation.
_PIECES = r"\d|\n *| ?[A-Za-z]+| ?[^\sA-Za-z\d]+ ?|\s"
_CHAT = (
    "{% for message in messages %}{{ '<s>' + message['role'] + '\n' + message['content'] + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<s>assistant\n' }}{% endif %}"
)


def train_tokenizer(texts: Iterable[str], context: int) -> PreTrainedTokenizerFast:
    """Train a tokenizer that encodes every byte sequence; special tokens are the caller's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, BEGIN, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BEGIN,
        eos_token=END,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = _CHAT
    return fast
