"""Layouts: what becomes of rows in padded and packed micro-batches; sampling of global batches."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_runs import token_rows

from mftbench.errors import UsageError
from mftbench.stages import Optim
from mftbench.training.batches import FILLER, collate_packed, collate_padded, model_inputs
from mftbench.training.layouts import Packed, Padded, micro_batches
from mftbench.training.packing import best_fit_decreasing
from mftbench.training.sampling import (
    GlobalBatchSampler,
    apportion,
    make_sampler,
    steps_of_budget,
)
from mftbench.training.tokens import TokenRow, TokenTable

LENGTHS = st.lists(st.integers(1, 50), min_size=1, max_size=60)
LAYOUTS = st.one_of(
    st.builds(Padded, st.just(3), st.integers(1, 9), st.booleans()),
    st.builds(Packed, st.just(3), st.integers(1, 80)),
)


def row(task, length, prompt_length):
    return TokenRow(task, list(range(10, 10 + length)), prompt_length)


@pytest.mark.parametrize("collate", [collate_padded, collate_packed])
def test_targets_are_the_completion_and_positions_the_token_before(collate):
    batch = collate([row(0, 5, 3), row(1, 4, 1)], 2)
    assert batch["targets"].tolist() == [13, 14, 11, 12, 13]
    assert batch["positions"].tolist() == [2, 3, 5, 6, 7]
    assert batch["tasks"].tolist() == [0, 0, 1, 1, 1]
    assert batch["samples"].tolist() == [0, 0, 1, 1, 1]
    assert batch["sample_sizes"].tolist() == [2, 2, 3, 3, 3]


def test_first_token_is_never_a_target():
    assert collate_padded([row(0, 3, 0)], 1)["targets"].tolist() == [11, 12]


def test_fixed_padding_has_one_width():
    assert collate_padded([row(0, 5, 3)], 1, 16)["input_ids"].shape == (1, 16)


@pytest.mark.parametrize("collate", [collate_padded, collate_packed])
def test_filler_row_supervises_nothing(collate):
    batch = collate([FILLER], 2)
    assert batch["task_tokens"].tolist() == [0, 0]
    assert batch["task_samples"].tolist() == [0, 0]


def test_packed_rows_have_their_own_positions_and_segments():
    batch = collate_packed([row(0, 3, 1), row(1, 2, 1)], 2)
    assert batch["input_ids"].tolist() == [[10, 11, 12, 10, 11]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    assert batch["segments"].tolist() == [0, 3, 5]


@pytest.mark.parametrize("collate", [collate_padded, collate_packed])
def test_model_gets_neither_mask_nor_cache(collate):
    inputs = model_inputs(collate([row(0, 3, 1)], 1))
    assert "attention_mask" not in inputs
    assert inputs["use_cache"] is False


@given(LENGTHS, LAYOUTS)
def test_every_row_is_in_exactly_one_micro_batch(lengths, layout):
    assert sorted(r for cut in layout.cut(lengths) for r in cut) == list(range(len(lengths)))


@given(LENGTHS, st.integers(1, 80))
def test_packs_hold_no_more_than_their_capacity(lengths, capacity):
    for pack in best_fit_decreasing(lengths, capacity):
        assert sum(lengths[r] for r in pack) <= capacity or len(pack) == 1


@given(LENGTHS, st.integers(1, 80))
def test_packs_are_those_of_best_fit_decreasing(lengths, capacity):
    spaces = []
    for length in sorted(lengths, reverse=True):
        fitting = [space for space in spaces if space >= length]
        if fitting:
            spaces[spaces.index(min(fitting))] -= length
        else:
            spaces.append(max(capacity - length, 0))
    packs = best_fit_decreasing(lengths, capacity)
    assert sorted(max(capacity - sum(lengths[r] for r in pack), 0) for pack in packs) == sorted(
        spaces
    )


@given(st.lists(st.integers(1, 20), max_size=9), LAYOUTS, st.integers(1, 3))
def test_ranks_share_a_global_batch_in_equally_many_micro_batches(lengths, layout, ranks):
    rows = [TokenRow(0, [7] * length, 1) for length in lengths]
    shares = [micro_batches(layout, rows, rank, ranks) for rank in range(ranks)]
    assert len({len(share) for share in shares}) == 1
    tokens = sum(int(batch["task_tokens"].sum()) for share in shares for batch in share)
    assert tokens == sum(length - 1 for length in lengths)


def test_grouping_puts_similar_lengths_together():
    assert Padded(1, 2).cut([3, 9, 4, 8]) == [[1, 3], [2, 0]]
    assert Padded(1, 2, group=False).cut([3, 9, 4, 8]) == [[0, 1], [2, 3]]


def table(counts, lengths=None):
    tasks = np.repeat(np.arange(len(counts)), counts)
    ones = np.ones(len(tasks), dtype=np.int64)
    return TokenTable([ones], tasks, ones, ones if lengths is None else lengths, ones)


def epochs(rows, count, **optim):
    sampler = make_sampler(rows, Optim(**optim), window=4, seed=1)
    return [sampler.order(epoch).tolist() for epoch in range(count)]


@given(st.lists(st.integers(1, 20), min_size=1, max_size=4), st.integers(1, 16))
def test_epoch_has_every_row_once(counts, window):
    sampler = GlobalBatchSampler(table(counts).tasks, window=window, seed=1)
    batches = list(sampler)
    assert sorted(r for batch in batches for r in batch) == list(range(sum(counts)))
    assert len(batches) == len(sampler)
    assert {len(batch) for batch in batches[:-1]} <= {window}


def test_epochs_and_seeds_have_their_own_order():
    rows = table([40])
    orders = [
        GlobalBatchSampler(rows.tasks, window=4, seed=s).order(e) for s in (0, 1) for e in (0, 1)
    ]
    assert len({tuple(order) for order in orders}) == 4


def test_uniform_sampling_draws_as_many_rows_of_every_task():
    rows = table([90, 9, 1])
    (order,) = epochs(rows, 1, task_sampling="uniform")
    assert sorted(Counter(rows.tasks[order]).values()) == [33, 33, 34]


def test_temperature_lies_between_proportional_and_uniform():
    rows = table([90, 10])
    (order,) = epochs(rows, 1, task_sampling="temperature", sampling_temperature=2.0)
    assert Counter(rows.tasks[order]) == {0: 75, 1: 25}  # sqrt(90) : sqrt(10) is 3 : 1


def test_temperature_one_draws_every_row_once():
    (order,) = epochs(table([7, 3]), 1, task_sampling="temperature", sampling_temperature=1.0)
    assert sorted(order) == list(range(10))


def test_a_temperature_at_which_a_task_is_never_drawn_is_refused():
    with pytest.raises(UsageError, match=r"sampling_temperature is 0\.05: a task is never drawn"):
        epochs(table([90, 10]), 1, task_sampling="temperature", sampling_temperature=0.05)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(1, 4))
def test_rows_of_a_task_come_in_rounds(counts, count):
    rows = table(counts)
    seen = Counter(r for order in epochs(rows, count, task_sampling="uniform") for r in order)
    for task, size in enumerate(counts):
        times = [seen[r] for r in np.flatnonzero(rows.tasks == task)]
        assert len(times) == size
        assert max(times) - min(times) <= 1


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6), st.integers(0, 500))
def test_quotas_add_up_and_differ_from_shares_by_less_than_one(weights, total):
    shares = np.array(weights) / sum(weights)
    quotas = apportion(shares, total)
    assert quotas.sum() == total
    assert (abs(quotas - shares * total) < 1 + 1e-9).all()


def test_budget_of_tokens_counts_the_rows_that_are_drawn():
    rows = table([10], np.arange(1, 11))
    sampler = GlobalBatchSampler(rows.tasks, window=4, seed=1)
    order = np.concatenate([sampler.order(0), sampler.order(1)])
    for budget in (1, 20, 55, 56, 80):
        steps = steps_of_budget(sampler, rows.lengths, budget)
        windows = [slice(s, min(s + 4, 10 * (1 + s // 10))) for s in (0, 4, 8, 10, 14, 18)]
        reached = [rows.lengths[order[w]].sum() for w in windows[:steps]]
        assert sum(reached) >= budget > sum(reached[:-1])


def test_budget_below_one_token_is_named():
    with pytest.raises(UsageError, match=r"optim.tokens is -1"):
        steps_of_budget(GlobalBatchSampler(np.zeros(3, int), window=2, seed=0), np.ones(3), -1)


def test_table_gives_the_rows_that_it_was_made_of():
    rows = token_rows(9)
    made = TokenTable.of(rows)
    assert [(r.task, list(r.input_ids), r.prompt_length) for r in made] == [
        (r.task, r.input_ids, r.prompt_length) for r in rows
    ]


def test_million_rows_pack_in_seconds():
    lengths = np.random.default_rng(0).integers(10, 200, 200_000).tolist()
    packs = best_fit_decreasing(lengths, 2048)
    assert sum(lengths) / (2048 * len(packs)) > 0.999
