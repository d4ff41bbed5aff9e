"""Test generation: a Python function to assertions that it passes and its mutants fail."""

import hashlib
import json
from itertools import groupby

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
REFERENCE_RUNS = 3
MUTANT_RUNS = 2


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
    """Run the tests against the reference, which they must pass, and against every mutant.

    The tests are the peer: they see neither the program's text nor which of them it is. Tests that
    toss a coin, or that remember by a side channel how often they ran, would tell the reference
    from the mutants without looking at either. So every program runs more than once, and after the
    first run of the reference, without which nothing else counts, the order is one that the tests
    cannot foresee: it follows from texts that they do not see.
    """
    tests = extract(completion, PYTHON)
    if not tests:
        return no_code()
    names = {"entry_points": problem.facts["entry_points"]}

    def against(name: str, source: str, required: bool) -> Step:
        peer = Step("tests", "python/tests.py", {"tests": tests, **names})
        request = {"source": source, "coverage": required, **names}
        return Step(name, "python/subject.py", request, peer=peer, required=required)

    def place(step: Step) -> str:
        seed = [tests, step.name, step.request["source"]]
        return hashlib.sha256(json.dumps(seed).encode("ascii")).hexdigest()

    reference = str(problem.facts["reference"])
    first, *references = (
        against(f"reference/{run}", reference, True) for run in range(1, REFERENCE_RUNS + 1)
    )
    mutants = [
        against(f"mutant-{number}/{run}", source, False)
        for number, source in enumerate(texts(problem, "mutants"), start=1)
        for run in range(1, MUTANT_RUNS + 1)
    ]
    return Program("python", (first, *sorted((*references, *mutants), key=place)))


def judge(problem: Problem, execution: Execution) -> Verdict:
    """Pass tests that are valid on the reference and kill every mutant; score the share killed.

    Valid is what passes in every run of the reference. A mutant is killed by tests that fail in
    every run of it: a time-out or a crash of the tests proves nothing. Coverage is the share of the
    reference's lines that valid tests execute.
    """
    runs = _runs(execution)
    references = runs.pop("reference")
    for step in references:
        verdict = verdict_of(step)
        if not verdict.passed:
            reason = verdict.reason
            if step is not references[0]:
                reason = f"not in every run of the reference: {reason}"
            scores = {"valid": 0.0, "killed": 0.0, "coverage": 0.0}
            return Verdict(verdict.outcome, reason, scores)
    alive = [
        name
        for name, steps in runs.items()
        if any(verdict_of(step).outcome is not Outcome.FAILED for step in steps)
    ]
    killed = 1 - len(alive) / len(runs)
    scores = {"valid": 1.0, "killed": killed, "coverage": _coverage(references[0])}
    if alive:
        return Verdict(Outcome.FAILED, f"not killed: {', '.join(alive)}", scores)
    return Verdict(Outcome.PASSED, scores=scores)


def _runs(execution: Execution) -> dict[str, list[StepResult]]:
    """Give the runs of every program, by its name."""

    def program_of(step: StepResult) -> str:
        return step.name.partition("/")[0]

    steps = sorted(execution.steps, key=program_of)  # stable: a program's runs keep their order
    return {name: list(runs) for name, runs in groupby(steps, program_of)}


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
    program_version=2,
    judge=judge,
    judge_version=3,
    metrics=(
        Metric("pass"),
        Metric("valid", "mean"),
        Metric("killed", "mean"),
        Metric("coverage", "mean"),
    ),
)
