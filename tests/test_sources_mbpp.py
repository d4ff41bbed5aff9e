"""MBPP: its splits are binding, its prompts are the published ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from mftbench.contract import Limits
from mftbench.plugins import load_task, open_source
from mftbench.sources import mbpp
from mftbench.sources.location import data_file
from mftbench.sources.overlap import find_overlap

REPEATED = [602, 704, 872, 716, 784, 787, 608, 841, 842, 606, 658, 673, 777, 837, 922, 965]
REPEATED += [625, 699, 732, 767]


def source(task: str = "text_to_code", **options: str | int):
    return open_source(load_task(task), "mbpp", options)


def numbers(rows) -> list[int]:
    return [int(row.id.removeprefix("MBPP/")) for row in rows]


def test_the_splits_have_the_published_sizes():
    splits = (mbpp.PROMPT_IDS, mbpp.EVALUATION_IDS, mbpp.DEVELOPMENT_IDS, mbpp.TRAIN_IDS)
    assert [len(split) for split in splits] == [10, 500, 88, 354]


def test_the_splits_share_no_id_and_leave_out_511_and_538():
    splits = (mbpp.PROMPT_IDS, mbpp.EVALUATION_IDS, mbpp.DEVELOPMENT_IDS, mbpp.TRAIN_IDS)
    union = frozenset().union(*splits)
    assert len(union) == sum(map(len, splits))
    assert set(range(1, 601)) - union == {511, 538}


def test_the_repeated_problems_are_not_trained_on():
    assert frozenset(range(601, 975)) - mbpp.TRAIN_IDS == set(REPEATED)


@pytest.mark.needs_data
def test_text_to_code_trains_and_asks_by_these_ids():
    opened = source()
    assert numbers(opened.train()) == sorted(mbpp.TRAIN_IDS)
    assert numbers(opened.problems()) == sorted(mbpp.EVALUATION_IDS)


@pytest.mark.needs_data
def test_no_carriage_return_is_left():
    rows = [*source().train(), *source().problems()]
    assert not any("\r" in row.prompt for row in rows)


@pytest.mark.needs_data
@pytest.mark.parametrize("task", ["text_to_code", "completion"])
def test_no_training_row_is_a_problem(task):
    opened = source(task)
    assert find_overlap(opened.train(), opened.problems()).leaks == ()


@pytest.mark.needs_data
def test_no_training_row_is_a_human_eval_problem():
    human_eval = open_source(load_task("completion"), "humaneval")
    assert find_overlap(source("completion").train(), human_eval.problems()).leaks == ()


@pytest.mark.needs_data
def test_the_study_s_prompt_is_the_description_and_all_asserts():
    first = next(iter(source().problems()))
    assert first.prompt == (
        "Write a python function to remove first and last occurrence of a given character from the"
        " string.Your code should satisfy these tests:\n"
        'assert remove_Occ("hello","l") == "heo"\n'
        'assert remove_Occ("abcda","a") == "bcd"\n'
        'assert remove_Occ("PHP","P") == "H"'
    )


@pytest.mark.needs_data
def test_the_standard_prompt_shows_three_solved_problems_of_the_prompt_split():
    first = next(iter(source(prompt="standard").problems()))
    assert first.prompt.count("You are an expert Python programmer") == 4
    assert first.prompt.count("[DONE]") == 3
    assert first.prompt.endswith("[BEGIN]\n")
    assert "similar_elements" in first.prompt, "problem 2"


@pytest.mark.needs_data
def test_completion_puts_the_description_where_the_docstring_is():
    first = next(iter(source("completion").problems()))
    header, docstring = first.prompt.splitlines()
    assert header.strip() == "def remove_Occ(s,ch):"
    assert docstring.strip().startswith('"""Write a python function')
    compile(first.prompt + first.gold, "joined", "exec")


@pytest.mark.needs_data
def test_only_one_suite_needs_the_candidate_s_process():
    problems = source().problems()
    assert [problem.id for problem in problems if problem.facts["in_process"]] == ["MBPP/367"]


@pytest.mark.needs_data
def test_rows_and_prompt_are_part_of_the_fingerprint():
    prints = {
        source(**options).fingerprint()
        for options in ({}, {"train": 5}, {"problems": 5}, {"prompt": "standard"})
    }
    assert len(prints) == 4


@pytest.mark.needs_data
def test_a_changed_file_is_another_fingerprint(monkeypatch, tmp_path):
    before = source().fingerprint()
    path = Path(data_file("mbpp/mbpp.jsonl", ""))
    (tmp_path / "mbpp").mkdir()
    (tmp_path / "mbpp" / "mbpp.jsonl").write_bytes(path.read_bytes() + b"\n")
    monkeypatch.setenv("MFTBENCH_DATA", str(tmp_path))
    monkeypatch.setenv("MFTBENCH_CHANGED_DATA", "1")
    assert source().fingerprint() != before


CHALLENGED = ["MBPP/11", "MBPP/16", "MBPP/20", "MBPP/23", "MBPP/25", "MBPP/26"]
CHALLENGED += ["MBPP/28", "MBPP/42", "MBPP/43", "MBPP/44", "MBPP/47"]


@pytest.mark.needs_data
def test_the_study_s_variant_scores_with_the_challenge_tests_too():
    problems = list(source().problems())
    more = [problem for problem in problems if problem.facts["checks"] != 3]
    assert [problem.id for problem in more] == CHALLENGED
    first = problems[0]
    assert first.facts["checks"] == 5
    assert 'assert remove_Occ("","l") == ""' in str(first.facts["suite"])
    assert 'remove_Occ("","l")' not in first.prompt


@pytest.mark.needs_data
def test_mbpp_s_own_variant_scores_with_its_three_tests():
    opened = source(prompt="standard")
    assert {problem.facts["checks"] for problem in opened.problems()} == {3}
    completion = {problem.facts["checks"] for problem in source("completion").problems()}
    assert completion == {3}


@pytest.mark.needs_data
def test_challenge_tests_renew_the_source_and_not_what_is_learnt_from_it():
    assert "challenge" in source().fingerprint()
    assert "challenge" not in source(prompt="standard").fingerprint()
    mixed = open_source(load_task("text_to_code"), "open")
    assert "challenge" not in mixed.fingerprint()


@pytest.mark.needs_data
@pytest.mark.needs_bubblewrap
def test_golds_pass_the_challenge_tests(bubblewrap):
    task = load_task("text_to_code")
    for problem in source().problems():
        if problem.id in CHALLENGED:
            made = task.program(problem, problem.gold)
            assert task.judge(problem, bubblewrap.run(made, Limits())).passed, problem.id
