"""Test generation: a Python function to assertions that it passes and its mutants fail."""

from mftbench.contract import (
    Execution,
    JsonValue,
    Metric,
    Outcome,
    Problem,
    Program,
    Prompt,
    Step,
    StepResult,
    Task,
    Verdict,
)
from mftbench.extraction import PYTHON, extract
from mftbench.sandbox.verdict import verdict_of
from mftbench.sources.leetcode import leetcode_tests
from mftbench.sources.mixture import mixture
from mftbench.sources.starter import starter_programs
from mftbench.sources.test_subjects import human_eval_tests, mbpp_tests
from mftbench.starter.suite import ProgramItem
from mftbench.suites import no_code, texts

INPUTS = 2  # the first kills every mutant, the second most of them


def ask(item: ProgramItem) -> str:
    """Show the function under test."""
    return item.python.rstrip("\n")


def answer(item: ProgramItem) -> str:
    """Give an oracle test: chosen inputs, for which the body says again what is expected.

    Literal expected values would ask a nano model to compute, which it cannot.
    """
    header, *body, last = item.python.split("\n")
    parameter = header.partition("(")[2].partition(":")[0]
    inputs = ", ".join(repr(case.args[0]) for case in item.cases[:INPUTS])
    expected = last.strip().removeprefix("return ")
    check = f"    assert {item.name}({parameter}) == ({expected})"
    return "\n".join([f"for {parameter} in {inputs}:", *body, check])


def facts(item: ProgramItem) -> dict[str, JsonValue]:
    """Keep the programs that the tests are run against."""
    return {
        "entry_points": [item.name],
        "reference": item.python,
        "mutants": list(item.mutants),
    }


def program(problem: Problem, completion: str) -> Program | Verdict:
    """Run the tests against the reference, which they must pass, then against every mutant.

    The tests are the peer: they see neither the program's text nor which of them it is.
    """
    tests = extract(completion, PYTHON)
    if not tests:
        return no_code()
    names = {"entry_points": problem.facts["entry_points"]}

    def against(name: str, source: str, required: bool) -> Step:
        peer = Step("tests", "python/tests.py", {"tests": tests, **names})
        request = {"source": source, "coverage": required, **names}
        return Step(name, "python/subject.py", request, peer=peer, required=required)

    mutants = [
        against(f"mutant-{number}", source, False)
        for number, source in enumerate(texts(problem, "mutants"), start=1)
    ]
    return Program(
        "python", (against("reference", str(problem.facts["reference"]), True), *mutants)
    )


def judge(problem: Problem, execution: Execution) -> Verdict:
    """Pass tests that are valid on the reference and kill every mutant; score the share killed.

    A mutant is killed by a failed test only: a time-out or a crash of the tests proves nothing.
    Coverage is the share of the reference's lines that valid tests execute.
    """
    reference, *mutants = execution.steps
    verdict = verdict_of(reference)
    if not verdict.passed:
        scores = {"valid": 0.0, "killed": 0.0, "coverage": 0.0}
        return Verdict(verdict.outcome, verdict.reason, scores)
    alive = [step.name for step in mutants if verdict_of(step).outcome is not Outcome.FAILED]
    killed = 1 - len(alive) / len(mutants)
    scores = {"valid": 1.0, "killed": killed, "coverage": _coverage(reference)}
    if alive:
        return Verdict(Outcome.FAILED, f"not killed: {', '.join(alive)}", scores)
    return Verdict(Outcome.PASSED, scores=scores)


def _coverage(reference: StepResult) -> float:
    """Give the share of the reference's lines that were executed."""
    detail = reference.report.detail if reference.report else {}
    lines, covered = detail.get("lines"), detail.get("covered")
    if isinstance(lines, int) and isinstance(covered, int) and lines:
        return covered / lines
    return 0.0


TASK = Task(
    name="test_generation",
    version=2,
    summary="a Python function to assertions that it passes and its mutants fail",
    sources={
        "starter": starter_programs("test_generation", ask=ask, answer=answer, facts=facts),
        "mbpp": mbpp_tests,
        "humaneval": human_eval_tests,
        "leetcode": leetcode_tests,
        "open": mixture(mbpp_tests, leetcode_tests),
    },
    prompt=Prompt(template="{prompt}\n# Tests\n", stop=("\ndef ", "\n# ", "\nclass ", "\nprint(")),
    program=program,
    judge=judge,
    program_version=2,
    judge_version=2,
    metrics=(
        Metric("pass"),
        Metric("valid", "mean"),
        Metric("killed", "mean"),
        Metric("coverage", "mean"),
    ),
)
