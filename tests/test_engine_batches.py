from hypothesis import given
from hypothesis import strategies as st

from mftbench.inference.batches import Prompt, merge_equal, partition
from mftbench.inference.engine import Request


def request(problem, sample=0, prompt="p", seed=0):
    return Request(problem, sample, prompt, (), 8, seed)


def test_greedy_samples_of_one_prompt_are_made_once():
    groups = merge_equal([request("a", sample, seed=sample) for sample in range(5)], greedy=True)
    assert [len(group) for group in groups] == [5]


def test_sampled_prompts_with_different_seeds_are_made_apart():
    requests = [request("a", sample, seed=sample) for sample in range(5)]
    assert len(merge_equal(requests, greedy=False)) == 5


@given(st.permutations([request(f"p{index}", prompt="x" * index) for index in range(6)]))
def test_batches_do_not_depend_on_the_order_of_the_requests(requests):
    groups = merge_equal(requests, greedy=True)
    prompts = [Prompt(tuple(group[0].prompt.encode()), 8, group) for group in groups]
    batches = [[prompt.requests[0].problem for prompt in batch] for batch in partition(prompts, 4)]
    assert batches == [["p5", "p4", "p3", "p2"], ["p1", "p0"]]


def prompts(lengths, limit=8):
    return [Prompt((1,) * length, limit, ()) for length in lengths]


@given(st.lists(st.integers(1, 300), max_size=40), st.integers(1, 9), st.integers(1, 2000))
def test_a_batch_keeps_to_its_rows_and_its_room_unless_it_is_one_row(lengths, size, room):
    batches = list(partition(prompts(lengths), size, room))
    assert sorted(len(each.ids) for batch in batches for each in batch) == sorted(lengths)
    for batch in batches:
        assert len(batch) <= size
        tokens = len(batch) * (max(len(each.ids) for each in batch) + 8)
        assert len(batch) == 1 or tokens <= room
