"""Golds are run once and their executions kept; what could not be run is missing, not failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from mftbench.cli import app
from mftbench.contract import (
    Execution,
    Limits,
    Outcome,
    Problem,
    Program,
    Prompt,
    Report,
    Step,
    StepResult,
    Task,
    Verdict,
)
from mftbench.errors import SandboxError, UsageError
from mftbench.pipeline.execute import Executor
from mftbench.pipeline.golds import golds_family, run_golds
from mftbench.progress import Silent
from mftbench.sandbox.scripted import Scripted, passing
from mftbench.sandbox.verdict import verdict_of


def program(problem: Problem, completion: str) -> Program | Verdict:
    """Run the completion, or answer at once where there is none."""
    if not completion:
        return Verdict(Outcome.NO_CODE, "nothing")
    return Program("python", (Step("check", "python/check.py", {"source": completion}),))


TASK = Task(
    name="t",
    version=1,
    summary="",
    sources={},
    program=program,
    judge=lambda problem, execution: verdict_of(execution.steps[-1]),
    prompt=Prompt(),
)
PROBLEMS = [Problem("a", "", "right"), Problem("b", "", "right"), Problem("c", "", "wrong")]


def answer(made: Program) -> Execution | SandboxError:
    text = made.steps[0].request["source"]
    if text == "broken":
        return SandboxError("no space left")
    if text == "slow":
        return Execution((StepResult("check", None, limit="timeout"),))
    if text == "wrong":
        report = Report(Outcome.FAILED, checks=1, expected_checks=1)
        return Execution((StepResult("check", 1, report=report),))
    return passing(made)


@pytest.fixture
def run(tmp_path) -> Callable[..., tuple]:
    """Run golds with one log, and say how many programs reached the sandbox."""

    def run_them(problems=PROBLEMS, answers=answer, task=TASK):
        sandbox = Scripted(answers)
        executor = Executor(sandbox, Limits(), 2)
        found = run_golds(task, problems, executor, tmp_path / "golds.jsonl", Silent())
        return found, len(sandbox.programs)

    return run_them


def test_every_gold_gets_its_verdict_and_equal_programs_run_once(run):
    found, programs = run()
    assert {name: each.passed for name, each in found.verdicts.items()} == {
        "a": True,
        "b": True,
        "c": False,
    }
    assert (found.passed, found.ran, programs) == (2, 2, 2)


def test_a_second_run_repeats_only_what_failed_and_finds_the_same(run):
    first, _ = run()
    second, programs = run()
    assert (second.ran, programs) == (1, 1)
    assert second.verdicts == first.verdicts
    third, programs = run(PROBLEMS[:2])
    assert (third.passed, programs) == (2, 0)


def test_a_changed_gold_is_run_and_the_others_are_not(run):
    run()
    found, programs = run([*PROBLEMS[:2], Problem("d", "", "new")])
    assert programs == 1
    assert found.passed == 3


def test_a_gold_that_ran_out_of_time_is_run_again(run):
    slow = [Problem("s", "", "slow")]
    first, _ = run(slow)
    assert first.verdicts["s"].outcome is Outcome.TIMEOUT
    second, programs = run(slow, passing)
    assert programs == 1
    assert second.verdicts["s"].passed


def test_what_a_changed_judge_no_longer_passes_is_run_again(run):
    run(PROBLEMS[:2])
    strict = replace(TASK, judge=lambda problem, execution: Verdict(Outcome.FAILED))
    found, programs = run(PROBLEMS[:2], task=strict)
    assert (found.passed, programs) == (0, 1)


def test_what_the_sandbox_could_not_run_is_missing_and_run_again(run):
    broken = [Problem("x", "", "broken"), Problem("n", "", "")]
    first, _ = run(broken)
    assert first.missing == {"x": "no space left"}
    assert first.verdicts == {"n": Verdict(Outcome.NO_CODE, "nothing")}
    second, programs = run(broken, passing)
    assert (second.missing, programs) == ({}, 1)


def test_what_the_judge_cannot_lay_to_the_answer_is_missing_and_run_again(run):
    def blind(problem, execution):
        raise SandboxError(f"gold query of {problem.id}: timeout")

    first, _ = run(PROBLEMS[:1], task=replace(TASK, judge=blind))
    assert (first.missing, first.verdicts) == ({"a": "gold query of a: timeout"}, {})
    second, programs = run(PROBLEMS[:1])
    assert (second.passed, second.missing, programs) == (1, {}, 1)


def test_a_gold_with_limits_of_its_own_gets_as_much_time_as_all_others(tmp_path):
    def limited(problem, completion):
        return replace(program(problem, completion), limits=Limits(wall_s=1, memory_mb=7))

    sandbox = Scripted()
    executor = Executor(sandbox, Limits(wall_s=50), 1)
    task = replace(TASK, program=limited)
    run_golds(task, PROBLEMS[:1], executor, tmp_path / "golds.jsonl", Silent())
    (made,) = sandbox.programs
    assert (made.limits.wall_s, made.limits.memory_mb) == (50, 7)


def test_other_limits_are_another_log():
    sandbox = Scripted()
    first, second = (Executor(sandbox, Limits(wall_s=seconds), 1) for seconds in (1, 2))
    assert golds_family(first) != golds_family(second)


def test_a_source_that_there_is_not_is_answered_with_the_nearest():
    done = CliRunner().invoke(app, ["data", "check", "completion/humanevil"])
    assert isinstance(done.exception, UsageError)
    assert "did you mean 'completion/humaneval'" in str(done.exception)


def test_named_sources_are_all_that_is_compared_with():
    done = CliRunner().invoke(app, ["data", "check", "sql/star*"])
    assert done.exit_code == 0, done.output
    assert [line.split()[0] for line in done.output.splitlines()] == ["sql/starter"]
