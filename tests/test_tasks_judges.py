"""The judges of comment and test generation: what passes, what is scored."""

from __future__ import annotations

import pytest

from mftbench.contract import Execution, Outcome, Problem, Report, StepResult
from mftbench.plugins import load_task

TESTS = load_task("test_generation")
COMMENT = load_task("comment")
PROBLEM = Problem("p", "", "Return the sum of the even numbers.", {})


def ended(name: str, outcome: Outcome) -> StepResult:
    return StepResult(name, 0, report=Report(outcome, 1, 1, str(outcome)))


def judge(*outcomes: Outcome):
    """Judge an execution in which every program ended alike whenever it ran."""
    names = ("reference", "mutant-1", "mutant-2", "mutant-3")
    return judge_runs(*(
        (f"{name}/{run}", outcome)
        for run in (1, 2)
        for name, outcome in zip(names, outcomes, strict=False)
    ))  # fmt: skip


def judge_runs(*runs: tuple[str, Outcome]):
    return TESTS.judge(PROBLEM, Execution(tuple(ended(*run) for run in runs)))


def test_valid_tests_that_kill_every_mutant_pass():
    verdict = judge(Outcome.PASSED, Outcome.FAILED, Outcome.FAILED)
    assert verdict.passed
    assert verdict.scores == {"valid": 1.0, "killed": 1.0, "coverage": 0.0}


def test_a_mutant_that_lives_is_named_and_counted():
    verdict = judge(Outcome.PASSED, Outcome.FAILED, Outcome.PASSED)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "not killed: mutant-2")
    assert verdict.scores == {"valid": 1.0, "killed": 0.5, "coverage": 0.0}


def test_coverage_is_the_share_of_the_reference_s_lines():
    report = Report(Outcome.PASSED, 1, detail={"lines": 8, "covered": 6})
    steps = (StepResult("reference/1", 0, report=report), ended("mutant-1/1", Outcome.FAILED))
    assert TESTS.judge(PROBLEM, Execution(steps)).scores["coverage"] == 0.75


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.ERROR, Outcome.EARLY_EXIT])
def test_a_mutant_is_not_killed_by_tests_that_break(outcome):
    assert judge(Outcome.PASSED, outcome).scores["killed"] == 0.0


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.NO_TESTS, Outcome.COMPILE_ERROR])
def test_tests_that_the_reference_does_not_pass_score_nothing(outcome):
    verdict = judge(outcome)
    assert verdict.outcome is outcome
    assert verdict.scores == {"valid": 0.0, "killed": 0.0, "coverage": 0.0}


def test_tests_that_pass_the_reference_only_at_first_score_nothing():
    verdict = judge_runs(
        ("reference/1", Outcome.PASSED),
        ("mutant-1/2", Outcome.FAILED),
        ("reference/3", Outcome.FAILED),
    )
    assert verdict.outcome is Outcome.FAILED
    assert "every run of the reference" in verdict.reason
    assert verdict.scores == {"valid": 0.0, "killed": 0.0, "coverage": 0.0}


def test_a_mutant_that_fails_only_sometimes_lives():
    verdict = judge_runs(
        ("reference/1", Outcome.PASSED),
        ("mutant-1/1", Outcome.FAILED),
        ("mutant-2/2", Outcome.PASSED),
        ("reference/2", Outcome.PASSED),
        ("mutant-1/2", Outcome.FAILED),
        ("mutant-2/1", Outcome.FAILED),
    )
    assert verdict.reason == "not killed: mutant-2"
    assert verdict.scores["killed"] == 0.5


@pytest.mark.parametrize(
    "said",
    [
        "Return the sum of the even numbers.",
        "# return the sum of the even numbers",
        '"""Return the sum of the even numbers."""\n',
        "\n  Return the  sum of the even numbers.\nThat is all.",
    ],
)
def test_the_reference_passes_whatever_its_dress(said):
    verdict = COMMENT.program(PROBLEM, said)
    assert verdict.passed
    assert verdict.scores["bleu4"] > 0.7


def test_other_words_are_scored_by_what_they_share():
    near = COMMENT.program(PROBLEM, "Return the sum of the odd numbers.")
    far = COMMENT.program(PROBLEM, "Sort a list.")
    assert near.outcome is Outcome.FAILED
    assert 1 > near.scores["bleu4"] > far.scores["bleu4"]
    assert 1 > near.scores["chrf"] > far.scores["chrf"]


def test_code_comment_leads_with_bleu_and_test_generation_with_pass():
    assert [metric.name for metric in COMMENT.metrics] == ["bleu4", "chrf", "exact"]
    assert [metric.name for metric in TESTS.metrics] == ["pass", "valid", "killed", "coverage"]
