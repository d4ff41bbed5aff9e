"""Known answers: hand-made right and wrong completions per source get the expected verdicts."""

from __future__ import annotations

import os

import pytest

from mftbench.contract import Limits, Program
from mftbench.languages import LANGUAGES
from mftbench.plugins import load_task, open_source
from mftbench.sandbox.pool import Job, run_all
from mftbench.sandbox.runtimes import find_runtime

pytestmark = [pytest.mark.needs_data, pytest.mark.needs_bubblewrap, pytest.mark.slow]

LIMITS = Limits(wall_s=30, cpu_s=30, memory_mb=2048, processes=256)
PROBLEMS = 20

# What is made of a gold, and whether it passes. Wrong ones are ours; {name} is the function's.
PYTHON = {
    "gold": ("{gold}", True),
    "fenced": ("Sure:\n```python\n{whole}\n```\nThat is it.", True),
    "windows line ends": ("{crlf}", True),
    "nothing": ("", False),
    "prose": ("I cannot answer that.", False),
    "leaves": ("    import os\n    os._exit(0)\n", False),
    "returns nothing": ("    return None\n", False),
    "raises": ("    raise ValueError(1)\n", False),
    "does not parse": ("    return (\n", False),
}
WHOLE = {
    "gold": ("{gold}", True),
    "fenced": ("Sure:\n```{label}\n{gold}\n```\nThat is it.", True),
    "nothing": ("", False),
    "prose": ("I cannot answer that.", False),
    "broken": ("{broken}", False),
}
BODIES = {"completion": PYTHON}


def answers(task: str, problem, label: str):
    kinds = BODIES[task] if label == "python" and task in BODIES else WHOLE
    gold = problem.gold
    whole = problem.prompt + gold
    for kind, (form, passes) in kinds.items():
        if kind == "gold" or label == "python" or kind in WHOLE:
            text = form.replace("{gold}", gold).replace("{whole}", whole).replace("{label}", label)
            text = text.replace("{crlf}", gold.replace("\n", "\r\n"))
            text = text.replace("{broken}", gold.replace("return", "retrun").replace("(", "((", 1))
            yield kind, text, passes


@pytest.mark.parametrize(
    ("task", "source"),
    [
        ("completion", "humaneval"),
        ("completion", "humanevalplus"),
        ("completion", "humanevalx_js"),
        ("completion", "humanevalx_java"),
        ("completion", "humanevalx_cpp"),
        ("completion", "humanevalx_go"),
        ("completion", "humanevalx_rust"),
        ("completion", "codefuse_python_cn"),
        ("completion", "mbpp"),
        ("text_to_code", "mbpp"),
        ("text_to_code", "mbppplus"),
        ("translation", "codetrans_java_to_python"),
        ("translation", "codetrans_python_to_java"),
        ("translation", "codetrans_python_to_cpp"),
        ("test_generation", "mbpp"),
        ("test_generation", "humaneval"),
    ],
)
def test_right_and_wrong_answers_get_their_verdicts(bubblewrap, task, source):
    loaded = load_task(task)
    opened = open_source(loaded, source, {"problems": PROBLEMS})
    problems = {problem.id: problem for problem in opened.problems()}
    wanted, jobs, found = {}, [], {}
    for problem in problems.values():
        label = str(problem.facts.get("language", "python"))
        if find_runtime(label) is None and label in LANGUAGES:
            pytest.skip(f"there is no {label} here")
        for kind, text, passes in answers(task, problem, label):
            key = f"{problem.id} {kind}"
            wanted[key] = passes
            program = loaded.program(problem, text)
            if isinstance(program, Program):
                jobs.append(Job(key, program))
            else:
                found[key] = program.passed
    for key, done in run_all(bubblewrap, jobs, LIMITS, os.cpu_count() or 1):
        found[key] = loaded.judge(problems[key.partition(" ")[0]], done).passed
    assert len(wanted) >= 20
    assert {key: passed for key, passed in found.items() if passed != wanted[key]} == {}
