"""Where a study's board goes: never over the board of another study."""

from dataclasses import replace
from pathlib import Path

import pytest
from board_rows import board_rows

from mftbench.board_folder import board_folder, write_results
from mftbench.errors import StoreError
from mftbench.study import Study, load_study, study_toml

STUDY = Study(name="mine", models=("nano",), tasks=("completion", "sql"))


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write a study's file in a folder without boards, and work there."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.toml"
    path.write_text(study_toml(STUDY))
    return path


def test_a_study_goes_to_the_folder_of_its_name(file):
    assert board_folder(STUDY, file) == Path("leaderboards/mine")


def test_a_changed_study_goes_to_a_folder_of_its_own(file):
    folder = board_folder(replace(STUDY, seeds=(2,)), file)
    assert folder.name.startswith("mine-")


def test_running_a_board_again_stays_in_its_folder(file):
    changed = replace(STUDY, seeds=(2,))
    folder = board_folder(changed, file)
    write_results(folder, changed, file, board_rows())
    again = folder / "study.toml"
    assert board_folder(load_study(again), again) == folder


def test_a_board_of_a_sweep_stays_inside_the_sweep(file):
    folder = Path("leaderboards") / "mine" / "1-10"
    write_results(folder, STUDY, file, board_rows())
    assert board_folder(STUDY, folder / "study.toml") == folder


def test_a_board_elsewhere_is_not_written_over(file, tmp_path):
    folder = tmp_path / "other" / "leaderboards" / "mine"
    write_results(folder, STUDY, file, board_rows())
    assert board_folder(STUDY, folder / "study.toml") == Path("leaderboards/mine")


def test_a_board_folder_that_cannot_be_made_is_one_line(file, tmp_path):
    with pytest.raises(StoreError, match=r"cannot write .*study.toml"):
        write_results(file / "board", STUDY, file, board_rows())
