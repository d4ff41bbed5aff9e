import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_llama import save_tiny_llama
from training_runs import train_spec

from mftbench.contract import Example, Prompt
from mftbench.errors import UsageError
from mftbench.models import load_tokenizer
from mftbench.store import Store
from mftbench.training.data import prepare
from mftbench.training.splitting import held_out, place

IDS = st.lists(st.text(max_size=8), max_size=60)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return load_tokenizer(str(save_tiny_llama(tmp_path_factory.mktemp("tiny"))))


def prepared(tokenizer, examples, **optim):
    spec = train_spec("tiny", counts=(1,), **optim)
    prompts = {"completion": Prompt("{prompt}")}
    with tempfile.TemporaryDirectory() as folder:
        return prepare(spec, {"completion": examples}, prompts, tokenizer, Store(Path(folder)))


def valid_ids(ids, share):
    """The ids that validate, through their places."""
    held = held_out(np.array([place(name) for name in ids]), share)
    return {name for name, out in zip(ids, held, strict=True) if out}


def example(index, prompt="ab", completion="cd"):
    return Example(f"row/{index}", prompt, completion)


@given(IDS, st.floats(0.001, 0.999))
def test_both_sides_of_a_split_have_a_row(ids, share):
    held_out = valid_ids(ids, share)
    if len(set(ids)) >= 2:
        assert 1 <= len(held_out) < len(set(ids))


@given(IDS, st.randoms())
def test_split_does_not_depend_on_order_or_repetition(ids, r):
    shuffled = [*ids, *ids]
    r.shuffle(shuffled)
    assert valid_ids(shuffled, 0.3) == valid_ids(ids, 0.3)


def test_split_of_an_id_does_not_depend_on_its_neighbours():
    names = [f"row/{i}" for i in range(400)]
    some = valid_ids(names[:200], 0.2)
    assert some == valid_ids(names, 0.2) & set(names[:200])


def test_no_share_holds_nothing_out():
    assert valid_ids(["a", "b", "c"], 0) == set()


def test_share_of_a_large_split_is_near_what_was_asked():
    assert len(valid_ids([str(i) for i in range(4000)], 0.1)) == pytest.approx(400, abs=60)


def test_too_long_rows_are_dropped_and_counted(tokenizer):
    rows = [example(0), example(1), example(2, completion="cd" * 90)]
    counts = prepared(tokenizer, rows, max_length=32).counts["completion"]
    assert (counts.read, counts.dropped, counts.truncated) == (3, 1, 0)


def test_too_long_rows_are_truncated_and_counted(tokenizer):
    rows = [example(0), example(1, completion="cd" * 90)]
    data = prepared(tokenizer, rows, max_length=32, too_long="truncate", valid_share=0)
    assert data.counts["completion"].truncated == 1
    assert data.train.lengths.max() == 32


def test_row_whose_completion_was_cut_off_is_rejected_and_counted(tokenizer):
    rows = [example(0), example(1, prompt="ab" * 90)]
    data = prepared(tokenizer, rows, max_length=32, too_long="truncate", valid_share=0)
    assert (data.counts["completion"].unsupervised, len(data.train)) == (1, 1)


def test_task_without_rows_to_train_on_is_named(tokenizer):
    with pytest.raises(UsageError, match="'completion' has no row to train on: 1 read, 1 longer"):
        prepared(tokenizer, [example(0, completion="cd" * 90)], max_length=32)
