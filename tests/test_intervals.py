import numpy as np
import pytest
from scipy import stats

from mftbench.scoring.intervals import difference_interval, mean_interval


def answers(problems, share, seed=0):
    return (np.random.default_rng(seed).random(problems) < share).astype(float)


def test_agrees_with_scipys_percentile_bootstrap():
    items = answers(164, 0.5)
    theirs = stats.bootstrap((items,), np.mean, method="percentile", rng=1).confidence_interval
    assert mean_interval(items) == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_half_of_164_problems_has_the_width_of_the_binomial():
    items = [0.0, 1.0] * 82
    assert mean_interval(items) == pytest.approx((0.5 - 0.0765, 0.5 + 0.0765), abs=0.007)


def test_is_the_same_every_time():
    items = answers(50, 0.3)
    assert mean_interval(items) == mean_interval(list(items))


def test_covers_the_truth_about_as_often_as_it_says():
    hits = 0
    for seed in range(300):
        low, high = mean_interval(answers(100, 0.4, seed))
        hits += low <= 0.4 <= high
    assert 0.90 <= hits / 300 <= 0.99


def test_no_success_at_all_is_not_certainty():
    low, high = mean_interval([0.0] * 164)
    exact = stats.binomtest(0, 164).proportion_ci(0.95, method="exact")
    assert (low, high) == pytest.approx((exact.low, exact.high))


def test_all_successes_mirror_no_success():
    low, high = mean_interval([0.0] * 40)
    assert mean_interval([1.0] * 40) == pytest.approx((1 - high, 1 - low))


def test_seeds_that_disagree_widen_the_interval():
    one = answers(200, 0.5)
    agree = mean_interval([one, one, one])
    disagree = mean_interval([np.zeros(200), one, np.ones(200)])
    assert disagree.high - disagree.low > 3 * (agree.high - agree.low)


def test_seeds_that_agree_give_the_interval_of_one_seed():
    one = answers(200, 0.5)
    assert mean_interval([one, one, one]) == pytest.approx(mean_interval(one), abs=0.01)


def test_pairing_narrows_a_difference():
    a = answers(200, 0.5)
    b = a.copy()
    b[:10] = 1 - b[:10]
    low, high = difference_interval(a, b)
    unpaired = 2 * 1.96 * np.sqrt(2 * 0.25 / 200)
    assert high - low < unpaired / 2


def test_difference_swaps_sign_with_its_arguments():
    a, b = answers(300, 0.6, 1), answers(300, 0.4, 2)
    low, high = difference_interval(a, b)
    assert difference_interval(b, a) == pytest.approx((-high, -low), abs=0.01)


def test_equal_answers_leave_room_for_a_difference():
    low, high = difference_interval([0.0, 1.0] * 50, [0.0, 1.0] * 50)
    assert low == pytest.approx(-high)
    assert 0.03 < high < 0.04


def test_modes_may_have_different_numbers_of_seeds():
    a = answers(100, 0.9)
    low, high = difference_interval([a, a, a], 1 - a)
    assert low < (2 * a - 1).mean() < high


@pytest.mark.parametrize("values", [[], [[]]])
def test_no_problem_has_no_interval(values):
    with pytest.raises(ValueError, match="seeds, problems"):
        mean_interval(values)


def test_different_problem_sets_do_not_pair():
    with pytest.raises(ValueError, match="nothing to pair"):
        difference_interval([0.0, 1.0], [0.0, 1.0, 1.0])


@pytest.mark.parametrize("passes", [1, 2, 9])
def test_few_passes_reach_at_least_as_far_as_the_exact_interval(passes):
    exact = stats.binomtest(passes, 120).proportion_ci(0.95, method="exact")
    low, high = mean_interval([1.0] * passes + [0.0] * (120 - passes))
    assert low <= exact.low + 1e-9
    assert high >= exact.high - 1e-9
    assert mean_interval([0.0] * passes + [1.0] * (120 - passes)) == pytest.approx(
        (1 - high, 1 - low), abs=0.01
    )


def test_one_pass_is_not_bounded_below_none():
    assert mean_interval([1.0] + [0.0] * 119).high > mean_interval([0.0] * 120).high


def test_graded_values_keep_the_bootstrap_near_an_end():
    assert mean_interval([0.5] + [0.0] * 119).high < 0.02
    assert mean_interval([[1.0] + [0.0] * 119] * 2).high < 0.03
