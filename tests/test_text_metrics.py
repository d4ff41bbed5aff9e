import pytest

from mftbench.scoring.text import bleu, chrf

TEXT = "Return the sum of all even numbers in the list."


@pytest.mark.parametrize("metric", [bleu, chrf])
def test_the_reference_itself_scores_one(metric):
    assert metric(TEXT, [TEXT]) == pytest.approx(1.0)
    assert metric(TEXT, [TEXT]) <= 1.0


@pytest.mark.parametrize("metric", [bleu, chrf])
@pytest.mark.parametrize("candidate", ["", "zzz qqq", "\x00", "\ud800"])
def test_an_unrelated_or_broken_answer_scores_about_nothing(metric, candidate):
    assert 0.0 <= metric(candidate, [TEXT]) < 0.05


@pytest.mark.parametrize("metric", [bleu, chrf])
def test_a_nearer_answer_scores_higher(metric):
    near = "Return the sum of the even numbers in a list."
    assert metric(TEXT, [TEXT]) > metric(near, [TEXT]) > metric("Sort the list.", [TEXT])


@pytest.mark.parametrize("metric", [bleu, chrf])
def test_the_best_of_several_references_counts(metric):
    assert metric(TEXT, ["Sort it.", TEXT]) == pytest.approx(1.0)


def test_bleu_equals_the_worked_value():
    # 3 of 4 words, 1 of 3 pairs, no longer n-gram: smoothed counts 1/2 of 2 and 1/4 of 1.
    expected = (3 / 4 * 1 / 3 * (1 / 2) / 2 * (1 / 4) / 1) ** 0.25
    assert bleu("a b x d", ["a b c d"]) == pytest.approx(expected)
