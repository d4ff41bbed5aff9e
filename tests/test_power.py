import numpy as np
import pytest

from mftbench.scoring.paired import ALPHA, mcnemar
from mftbench.scoring.power import FEWEST_DISCORDANT, detectable_difference, noise_floor


def test_detectable_difference_equals_connors_worked_example():
    # 20 % discordant, difference 10 points: (1.96 * sqrt(.2) + .8416 * sqrt(.19))^2 / .01 = 155.
    assert detectable_difference(155, np.sqrt(0.2)) == pytest.approx(0.10, abs=0.0005)


def test_more_problems_show_smaller_differences():
    found = [detectable_difference(n, 0.5) for n in (50, 100, 200, 500)]
    assert found == sorted(found, reverse=True)


def test_systems_that_never_disagree_have_nothing_to_detect():
    assert detectable_difference(100, 0.0) == 0.0


def test_no_difference_is_larger_than_the_scale():
    assert detectable_difference(1, 1.0) == 1.0


@pytest.mark.parametrize(("problems", "disagreement"), [(0, 0.5), (10, -0.1)])
def test_impossible_input_is_refused(problems, disagreement):
    with pytest.raises(ValueError, match="need at least 1 and 0"):
        detectable_difference(problems, disagreement)


def test_the_noise_floor_bounds_95_percent_of_differences_between_seeds():
    rng = np.random.default_rng(0)
    floor = noise_floor(rng.normal(0.5, 0.03, (200, 3)).tolist())
    gaps = np.abs(rng.normal(0, 0.03, 20_000) - rng.normal(0, 0.03, 20_000))
    assert (gaps < floor).mean() == pytest.approx(0.95, abs=0.01)


def test_one_seed_has_no_noise_floor():
    assert noise_floor([[0.5], [0.7]]) is None
    assert noise_floor([]) is None


def test_what_seeds_hide_joins_what_problems_hide_as_squares():
    problems, spread = detectable_difference(120, 0.5), 0.04
    found = detectable_difference(120, 0.5, spread)
    assert found == pytest.approx(np.hypot(problems, spread * (1.95996 + 0.84162) / 1.95996))


def test_one_seed_hides_nothing():
    assert detectable_difference(120, 0.5, 0.0) == detectable_difference(120, 0.5)


def test_fewer_discordant_problems_than_the_fewest_are_never_significant():
    assert mcnemar(FEWEST_DISCORDANT, 0) < ALPHA < mcnemar(FEWEST_DISCORDANT - 1, 0)
