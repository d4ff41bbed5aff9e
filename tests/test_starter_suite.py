import subprocess
import sys
import time

import pytest

from mftbench.errors import UsageError
from mftbench.starter.suite import DIFFICULTIES, ProgramItem, programs, queries


def some(split="train", count=60, *, difficulty=2, seed=0, task="completion"):
    return list(programs(split, count, difficulty=difficulty, seed=seed, task=task))


def questions(split="train", count=60, *, difficulty=2, seed=0):
    return list(queries(split, count, difficulty=difficulty, seed=seed))


def test_same_arguments_give_same_items():
    assert some() == some()
    assert questions() == questions()


def test_a_longer_request_starts_with_the_shorter_one():
    assert some(count=60)[:20] == some(count=20)
    assert questions(count=60)[:20] == questions(count=20)


def test_seed_changes_the_items():
    assert some(seed=0) != some(seed=1)
    assert questions(seed=0) != questions(seed=1)


def test_tasks_of_one_seed_see_different_programs():
    assert some(task="completion") != some(task="translation")


def test_items_do_not_depend_on_the_hash_seed():
    script = (
        "from mftbench.starter.suite import programs, queries;"
        "print(list(programs('test', 5, difficulty=2, seed=0, task='t')),"
        "list(queries('test', 5, difficulty=2, seed=0)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_ids_and_programs_are_distinct(difficulty):
    items = some(difficulty=difficulty, count=200)
    assert len({item.id for item in items}) == 200
    assert len({(item.python, item.english) for item in items}) == 200


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_the_test_split_has_enough_problems(difficulty):
    assert len(some("test", 120, difficulty=difficulty)) == 120
    assert len(questions("test", 120, difficulty=difficulty)) == 120


def test_difficulty_out_of_range_is_named():
    with pytest.raises(UsageError, match="starter difficulty 5 is not one of"):
        some(difficulty=5)


def test_a_request_beyond_the_grammar_says_how_many_there_are():
    with pytest.raises(UsageError, match=r"only \d+ distinct test items.*lower the count"):
        some("test", 5000, difficulty=1)


def test_difficulty_adds_stages():
    lines = {d: sum(len(item.python.splitlines()) for item in some(difficulty=d)) for d in (1, 3)}
    assert lines[3] > lines[1] + 60


def test_thousands_of_items_take_seconds():
    started = time.process_time()
    some(count=2000)
    questions(count=2000)
    assert time.process_time() - started < 10


def test_english_names_function_and_parameter():
    for item in some():
        parameter = item.signature.split("(")[1].split(":")[0]
        assert f" {item.name}({parameter}): " in item.english


def test_renderings_of_an_item_are_text_of_one_function():
    for item in some():
        assert item.python.startswith(item.signature + "\n    ")
        assert item.javascript.startswith(f"function {item.name}(")
        assert '"""' not in item.docstring
        assert "\n" not in item.docstring


def test_mutants_differ_from_the_program_and_from_each_other():
    for item in some():
        assert len({item.python, *item.mutants}) == 1 + len(item.mutants) >= 3


def test_the_suite_imports_no_torch():
    script = "import sys, mftbench.starter.suite; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "False"


def test_the_decisive_case_is_the_first_one():
    item: ProgramItem = some(count=1)[0]
    assert item.decisive == item.cases[:1]
