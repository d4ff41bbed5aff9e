import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_llama import save_tiny_llama
from training_runs import train_spec

from mftbench.contract import Example, Prompt
from mftbench.errors import UsageError
from mftbench.models import load_tokenizer
from mftbench.training.batches import Collator, GlobalBatchSampler, Rows
from mftbench.training.data import TokenRow, prepare, valid_ids

IDS = st.lists(st.text(max_size=8), max_size=60)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return load_tokenizer(str(save_tiny_llama(tmp_path_factory.mktemp("tiny"))))


def prepared(tokenizer, examples, **optim):
    spec = train_spec("tiny", counts=(1,), **optim)
    return prepare(spec, {"completion": examples}, {"completion": Prompt("{prompt}")}, tokenizer)


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
    assert valid_ids(["a", "b", "c"], 0) == frozenset()


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
    assert max(len(row.input_ids) for row in data.train) == 32


def test_row_whose_completion_was_cut_off_is_rejected_and_counted(tokenizer):
    rows = [example(0), example(1, prompt="ab" * 90)]
    data = prepared(tokenizer, rows, max_length=32, too_long="truncate", valid_share=0)
    assert (data.counts["completion"].unsupervised, len(data.train)) == (1, 1)


def test_task_without_rows_to_train_on_is_named(tokenizer):
    with pytest.raises(UsageError, match="'completion' has no row to train on: 1 read, 1 longer"):
        prepared(tokenizer, [example(0, completion="cd" * 90)], max_length=32)


def row(task, length, prompt_length):
    return TokenRow(task, list(range(10, 10 + length)), prompt_length)


def test_targets_are_the_completion_and_positions_the_token_before():
    batch = Collator(2)([row(0, 5, 3), row(1, 4, 1)])
    assert batch["targets"].tolist() == [13, 14, 11, 12, 13]
    assert batch["positions"].tolist() == [2, 3, 5, 6, 7]
    assert batch["tasks"].tolist() == [0, 0, 1, 1, 1]
    assert batch["sample_sizes"].tolist() == [2, 2, 3, 3, 3]


def test_first_token_is_never_a_target():
    assert Collator(1)([row(0, 3, 0)])["targets"].tolist() == [11, 12]


def test_fixed_padding_has_one_width():
    assert Collator(1, fixed=16)([row(0, 5, 3)])["input_ids"].shape == (1, 16)


def test_filler_row_supervises_nothing():
    batch = Collator(2)([Rows([row(0, 4, 2)])[-1]])
    assert batch["task_tokens"].tolist() == [0, 0]
    assert batch["task_samples"].tolist() == [0, 0]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(1, 16), st.booleans())
def test_epoch_has_every_row_once(lengths, window, group):
    sampler = GlobalBatchSampler(lengths, window=window, group=group, seed=1)
    assert sorted(sampler) == list(range(len(lengths)))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(1, 16))
def test_grouping_by_length_changes_no_global_batch(lengths, window):
    plain = list(GlobalBatchSampler(lengths, window=window, group=False, seed=1))
    grouped = list(GlobalBatchSampler(lengths, window=window, group=True, seed=1))
    for start in range(0, len(lengths), window):
        batch = grouped[start : start + window]
        assert set(batch) == set(plain[start : start + window])
        assert [lengths[i] for i in batch] == sorted((lengths[i] for i in batch), reverse=True)


def test_epochs_and_seeds_have_their_own_order():
    def order(seed, epoch):
        sampler = GlobalBatchSampler([1] * 40, window=4, group=False, seed=seed)
        sampler.epoch = epoch
        return tuple(sampler)

    assert len({order(0, 0), order(0, 1), order(1, 0), order(1, 1)}) == 4


def test_tail_is_filled_for_all_ranks():
    sampler = GlobalBatchSampler([1] * 7, window=8, multiple=4, group=False, seed=0)
    assert len(list(sampler)) == len(sampler) == 8
    assert list(sampler)[-1] == -1
