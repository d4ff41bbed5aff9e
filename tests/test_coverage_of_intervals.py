"""Studies, simulated or added up: intervals cover as often as they say, tests err as rarely."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binom

from mftbench.scoring.intervals import difference_interval, mean_interval
from mftbench.scoring.paired import compare
from mftbench.scoring.power import POWER, detectable_difference

STUDIES = 1_000


def answers(rng, problems, seeds, samples, between_seeds, difficulty=None):
    """Draw a system's shares of passes: problems and seeds are random effects on the logit."""
    hard = rng.normal(0, 1.5, problems) if difficulty is None else difficulty
    own = rng.normal(0, between_seeds, (seeds, 1)) + rng.normal(0, 0.5, (seeds, problems))
    return rng.binomial(samples, expit(hard + own)) / samples


@pytest.mark.parametrize(
    ("problems", "seeds", "samples", "between_seeds"),
    [
        (100, 1, 1, 0.0),
        (164, 1, 10, 0.0),
        (120, 3, 1, 0.2),
        (120, 3, 10, 0.2),
        (120, 5, 1, 0.3),
    ],
)
def test_95_percent_intervals_cover_95_percent(problems, seeds, samples, between_seeds):
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(STUDIES):
        low, high = mean_interval(answers(rng, problems, seeds, samples, between_seeds))
        hits += low <= 0.5 <= high  # every effect is symmetric around a logit of 0
    assert hits / STUDIES == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("problems", [40, 120, 164, 500])
def test_intervals_near_an_end_cover_95_percent(problems):
    counts = np.arange(min(problems, 110) + 1)  # more passes have no chance at these shares
    found = [mean_interval(np.arange(problems) < count) for count in counts]
    low, high = np.array(found).T
    for share in (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.12, 0.15):
        chance = binom.pmf(counts, problems, share)
        assert chance[(low <= share) & (share <= high)].sum() >= 0.94


@pytest.mark.parametrize(("seeds", "between_seeds"), [(1, 0.0), (3, 0.2), (3, 0.4), (5, 0.2)])
def test_intervals_of_paired_differences_cover_95_percent(seeds, between_seeds):
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(STUDIES):
        hard = rng.normal(0, 1.5, 120)
        pair = [answers(rng, 120, seeds, 1, between_seeds, hard) for _ in range(2)]
        low, high = difference_interval(*pair)
        hits += low <= 0.0 <= high
    assert hits / STUDIES == pytest.approx(0.95, abs=0.02)


def test_seeds_that_change_nothing_make_intervals_too_wide_not_too_narrow():
    rng = np.random.default_rng(12)
    hits = 0
    for _ in range(STUDIES):
        low, high = mean_interval(answers(rng, 120, 3, 1, 0.0))
        hits += low <= 0.5 <= high
    assert 0.95 <= hits / STUDIES <= 0.99


@pytest.mark.parametrize(("seeds", "samples"), [(1, 1), (1, 10), (3, 1)])
def test_the_paired_test_calls_equal_systems_different_in_5_percent_at_most(seeds, samples):
    rng = np.random.default_rng(9)
    found = []
    for _ in range(STUDIES):
        hard = rng.normal(0, 1.5, 120)
        found.append(compare(*(answers(rng, 120, seeds, samples, 0.0, hard) for _ in range(2))))
    rate = np.mean([one.p < 0.05 for one in found])
    assert rate <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / STUDIES)
    assert rate > 0.01  # nor is it blind


def test_a_verdict_survives_seeds_that_differ():
    rng = np.random.default_rng(10)
    wrong = 0
    for _ in range(STUDIES):
        hard = rng.normal(0, 1.5, 120)
        pair = [answers(rng, 120, 3, 1, 0.3, hard) for _ in range(2)]
        wrong += compare(*pair).verdict != "inside the noise"
    assert wrong / STUDIES <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / STUDIES)


def test_a_detectable_difference_is_detected_in_80_percent():
    rng = np.random.default_rng(11)
    discordant = 0.25
    difference = detectable_difference(200, np.sqrt(discordant))
    win, loss = (discordant + difference) / 2, (discordant - difference) / 2
    seen = 0
    for _ in range(STUDIES):
        gaps = rng.choice([1, -1, 0], size=200, p=[win, loss, 1 - discordant])
        seen += compare(np.maximum(gaps, 0), np.maximum(-gaps, 0)).p < 0.05
    assert seen / STUDIES == pytest.approx(POWER, abs=0.06)  # the exact test is conservative


@pytest.mark.parametrize("between_seeds", [0.2, 0.4])
def test_a_verdict_over_three_seeds_finds_a_detectable_difference_in_80_percent(between_seeds):
    rng = np.random.default_rng(13)

    def study(effect):
        hard = rng.normal(0, 1.5, 120)
        better = answers(rng, 120, 3, 1, between_seeds, hard + effect)
        return compare(better, answers(rng, 120, 3, 1, between_seeds, hard))

    equal = [study(0.0) for _ in range(100)]
    difference = detectable_difference(
        120,
        np.median([one.disagreement for one in equal]),
        np.median([one.seed_spread for one in equal]),
    )
    noise = rng.normal(0, np.sqrt(1.5**2 + 0.5**2 + between_seeds**2), 100_000)
    effects = np.linspace(0, 3, 121)
    gains = [(expit(noise + effect) - expit(noise)).mean() for effect in effects]
    effect = np.interp(difference, gains, effects)
    seen = sum(study(effect).verdict == "better" for _ in range(300))
    assert seen / 300 == pytest.approx(POWER, abs=0.1)
