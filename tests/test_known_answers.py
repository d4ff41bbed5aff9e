"""Known answers: right and wrong completions of every source get the outcomes expected of them."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache

import pytest
from known_answers import PASSED, TIMEOUT, answers

from mftbench.canonical import digest
from mftbench.contract import Execution, Limits, Program, Verdict
from mftbench.plugins import find_tasks, load_task, open_source
from mftbench.sandbox.pool import Job, run_all
from mftbench.sources.human_eval_x import SHORT
from mftbench.sources.human_eval_x_pairs import PAIRS

pytestmark = pytest.mark.needs_data

LIMITS = Limits(wall_s=60, cpu_s=60, memory_mb=2048, processes=256, files_mb=256)
ENDLESS = Limits(wall_s=4, cpu_s=4, memory_mb=2048, processes=256, files_mb=256)
# What an endless program waits for must not be the compiler.
ENDLESS_COMPILED = replace(ENDLESS, wall_s=20, cpu_s=20)
PROBLEMS = 4

PYTHON = [
    ("completion", "humaneval"),
    ("completion", "humanevalplus"),
    ("completion", "humanevalx_python"),
    ("completion", "codefuse_python"),
    ("completion", "codefuse_python_cn"),
    ("completion", "mbpp"),
    ("text_to_code", "mbpp"),
    ("text_to_code", "mbppplus"),
    ("translation", "codetrans_java_to_python"),
    ("translation", "codetrans_cpp_to_python"),
    ("test_generation", "mbpp"),
    ("test_generation", "humaneval"),
    *(("translation", f"humanevalx_{a}_to_{b}") for a, b in PAIRS if b == "python"),
]
OTHERS = [
    *(("completion", f"humanevalx_{short}") for short in SHORT if short != "python"),
    *(("completion", f"codefuse_{short}") for short in SHORT if short != "python"),
    *(
        ("translation", f"codetrans_{a}_to_{b}")
        for a, b in [("python", "java"), ("cpp", "java"), ("python", "cpp"), ("java", "cpp")]
    ),
    *(("translation", f"humanevalx_{a}_to_{b}") for a, b in PAIRS if b != "python"),
]
# SQL's are in test_tasks_spider.py: a query's verdict is found out by hand, not by a change.
ELSEWHERE = {("sql", "spider")}


def evaluated(task: str, source: str) -> bool:
    return next(iter(open_source(load_task(task), source).problems()), None) is not None


def test_every_source_that_has_problems_has_known_answers():
    sources = {
        (name, source)
        for name, plugin in find_tasks().items()
        for source in plugin().sources
        if source != "starter" and evaluated(name, source)
    }
    comment = {place for place in sources if place[0] == "comment"}
    assert sources == {*PYTHON, *OTHERS, *ELSEWHERE, *comment}


@pytest.mark.needs_bubblewrap
@pytest.mark.slow
@pytest.mark.parametrize(("task", "source"), PYTHON)
def test_answers_in_python_get_their_outcomes(bubblewrap, task, source):
    check(bubblewrap, task, source)


@pytest.mark.needs_docker
@pytest.mark.slow
@pytest.mark.parametrize(("task", "source"), OTHERS)
def test_answers_in_other_languages_get_their_outcomes(docker, task, source):
    check(docker, task, source)


@pytest.mark.parametrize("source", ["mbpp", *(f"humanevalx_{short}" for short in SHORT)])
def test_comments_pass_if_they_are_the_same_sentence(source):
    task = load_task("comment")
    problems = open_source(task, source, {"problems": PROBLEMS}).problems()
    for problem in problems:
        said = {
            problem.gold: True,
            problem.gold.upper(): True,
            f"# {problem.gold}\n": True,
            "": False,
            "Returns nothing of interest.": False,
            f"Not {problem.gold}": False,
        }
        found = {text: task.program(problem, text) for text in said}
        assert {text: each.passed for text, each in found.items()} == said
        assert found[problem.gold].scores["bleu4"] > 0.99
        assert found["Returns nothing of interest."].scores["bleu4"] < 0.2


def check(sandbox, task: str, source: str) -> None:
    """Judge every answer to the first problems, and hold its outcome to those expected."""
    loaded = load_task(task)
    problems = list(open_source(loaded, source, {"problems": PROBLEMS}).problems())
    wanted, programs, found = {}, {}, {}
    for number, problem in enumerate(problems):
        for answer in answers(task, problem, endless=number == 0):
            key = (problem.id, answer.kind)
            wanted[key] = answer.outcomes
            program = loaded.program(problem, answer.text)
            if isinstance(program, Verdict):
                found[key] = program
            elif answer.outcomes == TIMEOUT:
                python = program.language == "python"
                programs[key] = replace(program, limits=ENDLESS if python else ENDLESS_COMPILED)
            else:
                programs[key] = program
    by_id = {problem.id: problem for problem in problems}
    for key, execution in run(sandbox, programs).items():
        found[key] = loaded.judge(by_id[key[0]], execution)
    assert len(wanted) >= 20
    assert sum(outcomes == PASSED for outcomes in wanted.values()) == 3 * len(problems)
    wrong = {key: told(found[key]) for key in wanted if found[key].outcome not in wanted[key]}
    assert wrong == {}


def told(verdict: Verdict) -> str:
    return f"{verdict.outcome}: {verdict.reason[:200]}"


@cache
def executions() -> dict[str, Execution]:
    """Keep what was run: directions of translation share their golds."""
    return {}


def run(sandbox, programs: dict[tuple[str, str], Program]) -> dict[tuple[str, str], Execution]:
    names = {key: digest(program) for key, program in programs.items()}
    known = executions()
    todo = {names[key]: each for key, each in programs.items() if names[key] not in known}
    jobs = [Job(name, program) for name, program in todo.items()]
    for name, done in run_all(sandbox, jobs, LIMITS, os.cpu_count() or 1):
        assert isinstance(done, Execution), done
        known[name] = done
    return {key: known[name] for key, name in names.items()}
