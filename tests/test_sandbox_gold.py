"""Gold passes with the checker outside the candidate's process, and what does not is named."""

import pytest

from mftbench.contract import Limits
from mftbench.plugins import load_task, open_source
from mftbench.sandbox.pool import Job, run_all

pytestmark = [pytest.mark.needs_bubblewrap, pytest.mark.slow]


def gold_verdicts(sandbox, task_name, source_name):
    task = load_task(task_name)
    problems = {item.id: item for item in open_source(task, source_name, {}).problems()}
    jobs = [Job(item.id, task.program(item, item.gold)) for item in problems.values()]
    return {
        name: task.judge(problems[name], execution)
        for name, execution in run_all(sandbox, jobs, Limits(), workers=2)
    }


def test_human_eval_passes_whole_in_two_processes(bubblewrap):
    found = gold_verdicts(bubblewrap, "completion", "humaneval")
    assert len(found) == 164
    assert [name for name, verdict in found.items() if not verdict.passed] == []
    assert [name for name, verdict in found.items() if verdict.in_process] == []


@pytest.mark.needs_data
def test_mbpp_passes_whole_and_one_suite_needs_the_candidate_s_process(bubblewrap):
    found = gold_verdicts(bubblewrap, "text_to_code", "mbpp")
    assert len(found) == 500
    assert [name for name, verdict in found.items() if not verdict.passed] == []
    # Its test builds the tree out of a class that the program defines.
    assert [name for name, verdict in found.items() if verdict.in_process] == ["MBPP/367"]
