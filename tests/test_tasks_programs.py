"""The six tasks: what they ask, what they run for a completion, and that each prompt is its own."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mftbench.contract import Outcome, Problem, Program, Task, Verdict
from mftbench.plugins import find_tasks, load_task, open_source

TASKS = {name: load_task(name) for name in find_tasks()}
OPTIONS = {"train": 20, "problems": 8}


def problems(task: Task) -> list[Problem]:
    return list(open_source(task, "starter", OPTIONS).problems())


PROBLEMS = {name: problems(task)[0] for name, task in TASKS.items()}
PROBLEMS_OF_TESTS = problems(TASKS["test_generation"])


def program(name: str, completion: str) -> Program:
    made = TASKS[name].program(PROBLEMS[name], completion)
    assert isinstance(made, Program)
    return made


def test_no_two_tasks_render_a_prompt_of_one_shape():
    same_function = "def f(x):\n    return x"
    rendered = [
        TASKS[name].prompt.render(same_function)
        for name in ("comment", "test_generation", "translation")
    ]
    assert len(set(rendered)) == 3


@pytest.mark.parametrize("name", TASKS)
def test_a_stop_sequence_never_cuts_a_gold(name):
    golds = [problem.gold for problem in problems(TASKS[name])]
    assert not [gold for gold in golds for stop in TASKS[name].prompt.stop if stop in gold]


@pytest.mark.needs_data
@pytest.mark.parametrize(
    ("name", "source"),
    [("completion", "humaneval"), ("completion", "mbpp"), ("text_to_code", "mbpp")],
)
def test_a_stop_sequence_never_cuts_a_gold_of_real_data(name, source):
    golds = [problem.gold for problem in open_source(TASKS[name], source).problems()]
    assert not [gold for gold in golds for stop in TASKS[name].prompt.stop if stop in gold]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("completion", ["", "  \n\t\n", "```\n```"])
def test_an_empty_completion_is_no_code(name, completion):
    verdict = TASKS[name].program(PROBLEMS[name], completion)
    assert isinstance(verdict, Verdict)
    assert verdict.outcome is Outcome.NO_CODE


@pytest.mark.parametrize("name", TASKS)
def test_the_gold_fenced_in_markdown_makes_the_same_program_but_for_layout(name):
    gold = PROBLEMS[name].gold
    plain = TASKS[name].program(PROBLEMS[name], gold)
    fenced = TASKS[name].program(PROBLEMS[name], f"```\n{gold}\n```")
    if isinstance(plain, Program):
        assert "".join(repr(plain).split()).replace("\\n", "") == "".join(
            repr(fenced).split()
        ).replace("\\n", "")


@settings(max_examples=50)
@given(text=st.text(alphabet=st.characters(codec=None), max_size=200))
def test_program_is_total_deterministic_and_can_be_sent_as_json(text):
    for name, task in TASKS.items():
        made = task.program(PROBLEMS[name], text)
        assert made == task.program(PROBLEMS[name], text)
        if isinstance(made, Program):
            json.dumps([dict(step.request) for step in made.steps])


def test_the_candidate_never_sees_the_suite():
    step = program("completion", "    return 1\n").steps[0]
    assert step.peer is not None
    assert set(step.peer.request) == {"source", "entry_points"}
    assert "assert" not in str(step.peer.request["source"])


def test_generated_tests_never_see_the_program_under_test():
    made = program("test_generation", PROBLEMS["test_generation"].gold)
    for step in made.steps:
        assert step.peer is not None
        assert step.peer.request == made.steps[0].peer.request
        assert "def " not in str(step.peer.request)


def test_only_the_reference_is_required_of_generated_tests():
    made = program("test_generation", "assert f(1) == 1\n")
    for step in made.steps:
        assert step.required == step.name.startswith("reference/")


def test_generated_tests_run_on_the_reference_first_and_then_in_an_order_that_follows_no_rule():
    problem = next(each for each in PROBLEMS_OF_TESTS if len(each.facts["mutants"]) == 3)
    orders = []
    for number in range(20):
        made = TASKS["test_generation"].program(problem, f"assert f(1) == {number}\n")
        orders.append([step.name for step in made.steps])
    references = [f"reference/{run}" for run in (1, 2, 3)]
    mutants = [f"mutant-{number}/{run}" for number in (1, 2, 3) for run in (1, 2)]
    assert all(sorted(order) == sorted(references + mutants) for order in orders)
    assert {order[0] for order in orders} == {"reference/1"}
    assert len({order.index("reference/2") for order in orders}) > 4
    assert len({tuple(order) for order in orders}) == 20


def test_the_languages_are_python_javascript_and_sql():
    languages = {
        name: program(name, PROBLEMS[name].gold).language for name in TASKS if name != "comment"
    }
    assert set(languages.values()) == {"python", "javascript", "sql"}


def test_javascript_shares_a_process_and_says_so():
    assert program("translation", PROBLEMS["translation"].gold).steps[0].in_process
