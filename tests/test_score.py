import pytest

from mftbench.contract import Metric, Outcome, Verdict
from mftbench.errors import PluginError, UsageError
from mftbench.scoring.score import count_in_process, count_outcomes, score

PASSED = Verdict(Outcome.PASSED)
FAILED = Verdict(Outcome.FAILED)
PASS = (Metric("pass"),)


def test_each_k_is_a_score_and_the_first_is_the_headline():
    scores = score({"a": [PASSED, FAILED], "b": [FAILED, FAILED]}, PASS, (2, 1), ("b", "a"))
    assert [(s.metric, s.value, s.headline) for s in scores] == [
        ("pass@1", 0.25, True),
        ("pass@2", 0.5, False),
    ]


def test_items_follow_the_sorted_problem_ids():
    (only,) = score({"b": [PASSED], "a": [FAILED], "c": [PASSED]}, PASS, (1,), ("c", "b", "a"))
    assert only.items == (0.0, 1.0, 1.0)
    assert (only.low, only.high) != (None, None)


def test_fewer_samples_than_k_are_not_available():
    scores = score({"a": [PASSED]}, PASS, (1, 10), ("a",))
    assert scores[1].value is None
    assert scores[1].items == ()


def test_the_smallest_sample_set_decides_what_is_available():
    verdicts = {"a": [PASSED] * 5, "b": [PASSED, FAILED]}
    one, five = score(verdicts, PASS, (1, 5), ("a", "b"))
    assert (one.samples, one.value, five.value) == (2, 0.75, None)


def test_a_missing_problem_stays_in_the_denominator_and_takes_the_interval():
    (only,) = score({"a": [PASSED], "b": []}, PASS, (1,), ("a", "b", "c"))
    assert only.items == (1.0, None, None)
    assert (only.missing, only.value, only.low) == (2, pytest.approx(1 / 3), None)


def test_a_problem_that_lost_a_sample_is_missing():
    verdicts = {"a": [PASSED, PASSED], "b": [PASSED]}
    (only,) = score(verdicts, PASS, (1,), ("a", "b"), samples=2)
    assert (only.items, only.missing, only.samples) == ((1.0, None), 1, 2)


def test_nothing_but_missing_problems_is_no_score():
    (only,) = score({}, PASS, (1,), ("a", "b"))
    assert (only.value, only.missing, only.samples) == (None, 2, 0)


def test_a_mean_metric_averages_samples_then_problems():
    half = Verdict(Outcome.PASSED, scores={"bleu": 0.5})
    verdicts = {"a": [half, Verdict(Outcome.NO_CODE)], "b": [half, half]}
    (only,) = score(verdicts, (Metric("bleu", "mean"),), (1, 5), ("a", "b"))
    assert (only.metric, only.items, only.value) == ("bleu", (0.25, 0.5), 0.375)


@pytest.mark.parametrize("value", [float("nan"), 41.2, -0.1])
def test_a_metric_off_the_scale_blames_the_plugin(value):
    verdicts = {"a": [Verdict(Outcome.PASSED, scores={"bleu": value})]}
    with pytest.raises(PluginError, match=r"'bleu'.* on a is not in 0\.\.1"):
        score(verdicts, (Metric("bleu", "mean"),), (1,), ("a",))


def test_a_verdict_of_an_unknown_problem_is_refused():
    with pytest.raises(UsageError, match="'HumanEval/999'"):
        score({"HumanEval/999": [PASSED]}, PASS, (1,), ("HumanEval/0",))


def test_a_problem_listed_twice_is_refused():
    with pytest.raises(UsageError, match="'a' is in the problem set twice"):
        score({}, PASS, (1,), ("a", "a"))


def test_samples_are_counted_by_outcome_and_by_checker():
    verdicts = {"a": [PASSED, Verdict(Outcome.TIMEOUT, in_process=True)], "b": [FAILED, FAILED]}
    assert count_outcomes(verdicts) == {"failed": 2, "passed": 1, "timeout": 1}
    assert count_in_process(verdicts) == 1
