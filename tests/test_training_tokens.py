"""Token rows on disk: made once, mapped back, shared between trainings, found damaged."""

import numpy as np
import pytest
from tiny_llama import save_tiny_llama
from training_runs import examples, train_spec

from mftbench.contract import Prompt
from mftbench.errors import StoreError
from mftbench.formats import encode
from mftbench.models import load_tokenizer
from mftbench.store import Store
from mftbench.training.data import prepare
from mftbench.training.token_store import read_tokens, write_tokens


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return load_tokenizer(str(save_tiny_llama(tmp_path_factory.mktemp("tiny"))))


@pytest.fixture
def rows():
    return examples((30,))["completion"]


def test_stored_rows_are_the_encoded_ones(tokenizer, rows, tmp_path):
    write_tokens(tmp_path, rows, Prompt("# {prompt}\n"), "plain", tokenizer)
    stored = read_tokens(tmp_path)
    starts = np.cumsum(stored.lengths) - stored.lengths
    for row, start, length in zip(rows, starts, stored.lengths, strict=True):
        encoded = encode("plain", f"# {row.prompt}\n", row.completion, tokenizer)
        assert stored.flat[start : start + length].tolist() == encoded.input_ids
    assert isinstance(stored.flat, np.memmap)


def test_small_vocabulary_takes_two_bytes_a_token(tokenizer, rows, tmp_path):
    write_tokens(tmp_path, rows, Prompt(), "plain", tokenizer)
    assert (tmp_path / "tokens.bin").stat().st_size == 2 * read_tokens(tmp_path).lengths.sum()


def test_rows_may_come_from_a_generator(tokenizer, rows, tmp_path):
    write_tokens(tmp_path, (row for row in rows), Prompt(), "plain", tokenizer)
    assert len(read_tokens(tmp_path).lengths) == len(rows)


def test_tokens_cut_short_are_found(tokenizer, rows, tmp_path):
    write_tokens(tmp_path, rows, Prompt(), "plain", tokenizer)
    file = tmp_path / "tokens.bin"
    file.write_bytes(file.read_bytes()[:-2])
    with pytest.raises(StoreError, match="cut short"):
        read_tokens(tmp_path)


def test_unreadable_tokens_name_their_folder(tmp_path):
    with pytest.raises(StoreError, match="delete it to re-make it"):
        read_tokens(tmp_path)


class Once(dict):
    """Rows that may be looked up once."""

    def __getitem__(self, task):
        return self.pop(task)


def test_second_training_does_not_ask_for_the_rows(tokenizer, tmp_path):
    spec, store = train_spec("tiny", counts=(30, 13)), Store(tmp_path)
    rows, prompts = Once(examples()), {task: Prompt() for task in examples()}
    first = prepare(spec, rows, prompts, tokenizer, store)
    second = prepare(spec, rows, prompts, tokenizer, store)
    assert [r.input_ids.tolist() for r in first.train] == [
        r.input_ids.tolist() for r in second.train
    ]


def test_another_length_limit_needs_no_new_tokens(tokenizer, tmp_path):
    rows, prompts = Once(examples((30,))), {"completion": Prompt()}
    store = Store(tmp_path)
    prepare(train_spec("tiny", counts=(30,)), rows, prompts, tokenizer, store)
    spec = train_spec("tiny", counts=(30,), max_length=24, too_long="truncate")
    assert prepare(spec, rows, prompts, tokenizer, store).train.lengths.max() == 24
