"""MBPP: its splits are binding, its prompts are the published ones."""

from __future__ import annotations

from pathlib import Path

import pytest

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
