import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mftbench.scoring.paired import compare, correct, holm, mcnemar, noise_statement, sign_flip

BOTH, A_ONLY, B_ONLY, NEITHER = (1, 1), (1, 0), (0, 1), (0, 0)


def table(both, a_only, b_only, neither):
    pairs = [BOTH] * both + [A_ONLY] * a_only + [B_ONLY] * b_only + [NEITHER] * neither
    return tuple(zip(*pairs, strict=True))


def test_mcnemar_equals_agrestis_approval_ratings():
    # Agresti, Categorical Data Analysis, table 10.1: 150 and 86 discordant of 1600; z^2 = 17.36.
    found = compare(*table(794, 150, 86, 570))
    assert found.difference == pytest.approx(64 / 1600)
    assert (found.wins, found.losses, found.test) == (150, 86, "McNemar exact")
    assert found.p == pytest.approx(3.7e-5, rel=0.03)
    # His 95 % interval of the difference is 0.04 +- 1.96 * 0.0096.
    assert (found.low, found.high) == pytest.approx((0.0213, 0.0587), abs=0.002)


@given(st.integers(0, 8), st.integers(0, 8))
def test_mcnemar_equals_enumerating_the_coins(wins, losses):
    flips = list(itertools.product((1, -1), repeat=wins + losses))
    as_far = [abs(sum(flip)) >= abs(wins - losses) for flip in flips]
    assert mcnemar(wins, losses) == pytest.approx(sum(as_far) / len(flips))


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_sign_flip_equals_enumerating_the_signs(gaps):
    flips = itertools.product((1, -1), repeat=len(gaps))
    sums = [sum(s * g for s, g in zip(flip, gaps, strict=True)) for flip in flips]
    expected = sum(abs(value) >= abs(sum(gaps)) for value in sums) / len(sums)
    assert sign_flip(gaps) == pytest.approx(expected)


def test_sign_flip_agrees_with_scipys_permutation_test():
    gaps = np.random.default_rng(3).choice([-0.2, 0.0, 0.2, 0.4], size=60)
    theirs = stats.permutation_test(
        (gaps,), np.mean, permutation_type="samples", n_resamples=20_000, rng=1
    )
    assert sign_flip(gaps) == pytest.approx(theirs.pvalue, abs=0.01)


def test_shares_of_several_samples_are_tested_by_permutation():
    found = compare([0.5, 0.25, 1.0], [0.0, 0.25, 0.5])
    assert found.test == "sign-flip permutation"
    assert found.p == 0.5


def test_binary_outcomes_of_several_seeds_are_not_taken_for_one():
    assert compare([[1, 0, 1], [0, 0, 1]], [0, 1, 1]).test == "sign-flip permutation"


@given(st.lists(st.sampled_from([BOTH, A_ONLY, B_ONLY, NEITHER]), min_size=1, max_size=30))
def test_swapping_the_systems_swaps_the_sign_only(pairs):
    a, b = zip(*pairs, strict=True)
    one, other = compare(a, b), compare(b, a)
    assert one.difference == -other.difference
    assert (one.wins, one.losses, one.p) == (other.losses, other.wins, other.p)


def test_holm_equals_the_worked_example():
    # Four p values, step-down factors 4, 3, 2, 1 from the smallest; the 0.04 takes over 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))


@settings(deadline=None)  # the first example pays for the import
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_equals_statsmodels(raw):
    multitest = pytest.importorskip("statsmodels.stats.multitest", exc_type=ImportError)
    assert holm(raw) == pytest.approx(multitest.multipletests(raw, method="holm")[1])


@settings(deadline=None)  # the first example pays for the import
@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_equals_statsmodels(wins, losses):
    tables = pytest.importorskip("statsmodels.stats.contingency_tables", exc_type=ImportError)
    assert mcnemar(wins, losses) == pytest.approx(
        tables.mcnemar([[0, wins], [losses, 0]], exact=True).pvalue if wins + losses else 1.0
    )


def test_holm_never_exceeds_bonferroni_nor_undercuts_the_raw_p():
    raw = np.random.default_rng(0).random(20) ** 3
    adjusted = np.array(holm(raw.tolist()))
    assert (adjusted >= raw).all()
    assert (adjusted <= np.minimum(1, raw * 20)).all()
    assert (np.diff(adjusted[np.argsort(raw)]) >= 0).all()


def test_holm_of_nothing_is_nothing():
    assert holm([]) == ()


def test_a_correction_can_push_a_difference_into_the_noise():
    clear = compare(*table(10, 8, 1, 20))
    assert (clear.verdict, clear.p) == ("better", pytest.approx(0.0390625))
    corrected = correct([clear, compare(*table(10, 3, 3, 20))])
    assert corrected[0].verdict == "inside the noise"


def test_seeds_that_disagree_keep_a_difference_inside_the_noise():
    good, bad = np.ones((1, 60)), np.zeros((1, 60))
    found = compare(np.vstack([good, bad, good]), np.vstack([bad, bad, bad]))
    assert found.p < 0.001
    assert found.low <= 0.0
    assert found.verdict == "inside the noise"


def test_no_discordant_problem_is_no_evidence():
    same = compare([1, 0, 1, 1], [1, 0, 1, 1])
    assert (same.p, same.verdict) == (1.0, "inside the noise")


def test_the_statement_counts_the_verdicts():
    family = [compare(*table(0, 30, 0, 10)), compare(*table(0, 0, 30, 10)), compare([1], [1])]
    assert noise_statement(family) == "better on 1, worse on 1, inside the noise on 1 of 3"
