"""HumanEval: whole, for evaluation only, the same from the package as from the data folder."""

from __future__ import annotations

import pytest

from mftbench.plugins import load_task, open_source


def source(**options: int):
    return open_source(load_task("completion"), "humaneval", options)


def test_there_are_164_problems_and_nothing_to_train_on():
    assert len(list(source().problems())) == 164
    assert list(source().train()) == []


def test_the_package_s_copy_serves_without_a_data_folder(monkeypatch):
    monkeypatch.delenv("MFTBENCH_DATA", raising=False)
    assert next(iter(source().problems())).id == "HumanEval/0"


@pytest.mark.needs_data
def test_package_and_data_folder_hold_the_same_bytes(monkeypatch):
    there = source().fingerprint()
    monkeypatch.delenv("MFTBENCH_DATA")
    assert source().fingerprint() == there


@pytest.mark.parametrize(
    ("number", "helper"), [(32, "poly"), (38, "encode_cyclic"), (50, "encode_shift")]
)
def test_the_suite_brings_the_prompt_s_own_helper(number, helper):
    suite = list(source().problems())[number].facts["suite"]
    assert f"def {helper}(" in suite


def test_the_suite_never_holds_the_function_under_test():
    for problem in source().problems():
        name = problem.facts["entry_points"][0]
        assert f"def {name}(" not in problem.facts["suite"]


def test_an_option_takes_only_the_first_problems():
    assert len(list(source(problems=3).problems())) == 3
