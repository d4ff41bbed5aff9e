from hypothesis import given
from hypothesis import strategies as st

from mftbench.inference.batches import Prompt, fit, merge_equal, partition
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


@given(st.integers(1, 300), st.integers(1, 300), st.integers(2, 200))
def test_prompt_and_answer_fit_the_context_and_keep_something_of_both(length, wanted, context):
    ids, limit = fit(range(length), wanted, context)
    assert len(ids) + limit <= context
    assert 1 <= limit <= wanted
    assert ids == tuple(range(length))[-len(ids) :]
    assert len(ids) >= min(length, context // 2)


def test_a_prompt_that_fits_is_left_alone():
    assert fit([1, 2, 3], 5, context=8) == ((1, 2, 3), 5)


def test_a_model_without_a_context_limit_takes_any_prompt():
    assert fit([1] * 1000, 5, context=None) == ((1,) * 1000, 5)
