"""Hostile completions of a HumanEval problem, all the way through the completion task."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mftbench.contract import Limits, Outcome, Program, Verdict
from mftbench.plugins import load_task, open_source
from mftbench.sandbox.attacks import ATTACKS, Attack

TASK = load_task("completion")
ADD = next(
    problem
    for problem in open_source(TASK, "humaneval").problems()
    if problem.facts["entry_points"] == ["add"]
)
# Those that must fail; the others are right programs that waste more than 100 calls leave room for.
HOSTILE = [attack for attack in ATTACKS if Outcome.PASSED not in attack.expected]


def verdict(attack: Attack, sandbox) -> Verdict:
    program = TASK.program(ADD, attack.completion)
    if isinstance(program, Verdict):
        return program
    patience = 2.0 if Outcome.TIMEOUT in attack.expected else 10.0
    limits = Limits(wall_s=patience, cpu_s=patience, memory_mb=256, files_mb=16)
    execution = sandbox.run(replace(program, limits=limits), limits)
    return TASK.judge(ADD, execution)


@pytest.mark.slow
@pytest.mark.needs_bubblewrap
@pytest.mark.parametrize("attack", HOSTILE, ids=lambda attack: attack.id)
def test_a_hostile_completion_gets_the_verdict_of_its_name(attack, bubblewrap):
    assert verdict(attack, bubblewrap).outcome in attack.expected


def test_the_attacked_problem_is_a_human_eval_problem():
    assert isinstance(TASK.program(ADD, ADD.gold), Program)
    assert ADD.id == "HumanEval/53"
