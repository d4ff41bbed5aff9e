import numpy as np
import pytest

from mftbench.scoring.intervals import difference_interval
from mftbench.scoring.overall import mean_ranks, overall_difference


def answers(seed, share, shape):
    return (np.random.default_rng(seed).random(shape) < share).astype(float)


def test_one_task_gives_the_interval_of_its_difference():
    a, b = answers(1, 0.6, (3, 90)), answers(2, 0.4, (3, 90))
    difference, interval = overall_difference([a], [b])
    assert difference == pytest.approx(a.mean() - b.mean())
    assert interval == pytest.approx(difference_interval(a, b), abs=1e-9)


def test_tasks_weigh_the_same_whatever_their_size():
    ones, zeros = np.ones((1, 300)), np.zeros((1, 300))
    difference, _ = overall_difference([ones, zeros[:, :10]], [zeros, zeros[:, :10]])
    assert difference == 0.5


def test_four_like_tasks_halve_the_interval_of_one():
    a = [answers(seed, 0.5, (1, 400)) for seed in range(4)]
    b = [answers(seed + 10, 0.5, (1, 400)) for seed in range(4)]
    _, one = overall_difference(a[:1], b[:1])
    _, four = overall_difference(a, b)
    assert (four.high - four.low) / (one.high - one.low) == pytest.approx(0.5, abs=0.05)


def test_ranks_average_over_tasks_and_share_ties():
    first = np.array([[1.0, 0.0, 0.0]] * 8)
    second = np.array([[0.0, 1.0, 1.0]] * 8)
    ranks, _ = mean_ranks([first, second])
    assert ranks == [2.0, 2.0, 2.0]


def test_a_rank_that_no_resample_changes_has_no_width():
    ranks, intervals = mean_ranks([np.array([[1.0, 0.0]] * 30)])
    assert (ranks, intervals) == ([1.0, 2.0], [(1.0, 1.0), (2.0, 2.0)])


def test_ranks_of_like_systems_are_uncertain():
    task = np.stack([answers(seed, 0.5, 100) for seed in (1, 2)], axis=1)
    _, intervals = mean_ranks([task])
    assert (intervals[0].low, intervals[0].high) == (1.0, 2.0)


def test_a_task_on_which_all_answers_agree_is_not_certain():
    zeros = np.zeros((1, 120))
    difference, interval = overall_difference([zeros], [zeros])
    assert (difference, interval) == (0.0, difference_interval(zeros, zeros))


def test_what_an_agreeing_task_may_hide_is_shared_among_the_tasks():
    zeros = np.zeros((1, 120))
    one = difference_interval(zeros, zeros).high
    _, interval = overall_difference([zeros] * 4, [zeros] * 4)
    assert interval.high == pytest.approx(one / 2)  # four squares of one / 4
    assert interval.low == -interval.high


def test_a_task_weighs_the_same_whatever_its_number_of_columns():
    ones, zeros = np.ones((1, 90)), np.zeros((1, 90))
    difference, _ = overall_difference([ones] * 3 + [zeros], [zeros] * 4, ["a"] * 3 + ["b"])
    assert difference == 0.5


def test_editions_of_one_problem_set_say_no_more_than_one_of_them():
    a, b = answers(1, 0.6, (3, 90)), answers(2, 0.4, (3, 90))
    _, one = overall_difference([a], [b])
    _, seven = overall_difference([a] * 7, [b] * 7, ["a"] * 7)
    assert seven == pytest.approx(one, abs=1e-9)
    _, apart = overall_difference([a] * 7, [b] * 7)
    assert apart.high - apart.low < one.high - one.low


def test_columns_of_a_task_with_other_numbers_of_problems_are_drawn_apart():
    a, b = answers(1, 0.5, (1, 300)), answers(2, 0.5, (1, 300))
    more = [answers(seed, 0.5, (1, 310)) for seed in (3, 4)]
    difference, two = overall_difference([a, more[0]], [b, more[1]], ["a", "a"])
    _, one = overall_difference([a], [b])
    assert difference == pytest.approx(((a - b).mean() + (more[0] - more[1]).mean()) / 2)
    assert (two.high - two.low) / (one.high - one.low) == pytest.approx(0.5**0.5, abs=0.08)


def test_a_column_per_task_needs_no_names_of_tasks():
    a = [answers(seed, 0.5, (2, 40 + seed)) for seed in range(3)]
    b = [answers(seed + 9, 0.5, (2, 40 + seed)) for seed in range(3)]
    assert overall_difference(a, b) == overall_difference(a, b, ["x", "y", "z"])


def test_the_mean_over_tasks_of_unlike_columns_of_one_task():
    parts = [np.full((1, 5), 0.8), np.full((1, 5), 0.2), np.full((1, 9), 0.5), np.full((1, 5), 0.1)]
    nothing = [np.zeros_like(part) for part in parts]
    difference, _ = overall_difference(parts, nothing, ["a", "a", "a", "b"])
    assert difference == pytest.approx((0.5 + 0.1) / 2)


def test_ranks_on_editions_of_one_problem_set_are_as_uncertain_as_on_one():
    column = np.stack([answers(seed, 0.5, 100) for seed in (1, 2, 3)], axis=1)
    one = mean_ranks([column])
    assert mean_ranks([column] * 5, ["a"] * 5) == one
    assert mean_ranks([column] * 5)[1] != one[1]
