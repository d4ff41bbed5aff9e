"""Where a study's board goes: never over the board of another study."""

from dataclasses import replace
from pathlib import Path

import pytest
from board_rows import board_rows

from mftbench.board_folder import write_results
from mftbench.commands.options import choose_board
from mftbench.errors import StoreError, UsageError
from mftbench.leaderboard.files import write_board
from mftbench.study import Study, TaskSettings, load_study, study_toml

STUDY = Study(name="mine", models=("nano",), tasks=("completion", "sql"))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write a study's file in a folder without boards, and work there."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.toml"
    path.write_text(study_toml(STUDY))
    return path


def test_a_study_goes_to_the_folder_of_its_name(file):
    assert choose_board(None, STUDY, file) == Path("leaderboards/mine")


def test_a_changed_study_goes_to_a_folder_of_its_own(file):
    folder = choose_board(None, replace(STUDY, seeds=(2,)), file)
    assert folder.name.startswith("mine-")


def test_running_a_board_again_stays_in_its_folder(file):
    changed = replace(STUDY, seeds=(2,))
    folder = choose_board(None, changed, file)
    write_results(folder, changed, file, board_rows())
    again = folder / "study.toml"
    assert choose_board(None, load_study(again), again) == folder


def test_a_board_of_a_sweep_stays_inside_the_sweep(file):
    folder = Path("leaderboards") / "mine" / "1-10"
    write_results(folder, STUDY, file, board_rows())
    assert choose_board(None, STUDY, folder / "study.toml") == folder


def test_a_board_elsewhere_is_not_written_over(file, tmp_path):
    folder = tmp_path / "other" / "leaderboards" / "mine"
    write_results(folder, STUDY, file, board_rows())
    assert choose_board(None, STUDY, folder / "study.toml") == Path("leaderboards/mine")


def test_a_board_folder_that_cannot_be_made_is_one_line(file, tmp_path):
    with pytest.raises(StoreError, match=r"cannot write .*study.toml"):
        write_results(file / "board", STUDY, file, board_rows())


OTHERS = [
    replace(STUDY, tasks=("sql",)),
    replace(STUDY, seeds=(1, 2)),
    replace(STUDY, format="chatml"),
    replace(STUDY, data={"sql": TaskSettings(weight=2.0)}),
]


@pytest.mark.parametrize("other", OTHERS)
def test_a_board_of_another_study_with_this_name_is_left_alone(file, capsys, other):
    there = Path("leaderboards/mine")
    write_results(there, other, None, board_rows())
    before = contents(there)
    folder = choose_board(None, STUDY, file)
    write_results(folder, STUDY, file, board_rows(tasks=("sql",)))
    assert contents(there) == before
    assert folder.name.startswith("mine-")
    said = f"leaderboards/mine holds the board of another study, so this board goes to {folder}\n"
    assert capsys.readouterr().err == said
    assert choose_board(None, STUDY, file) == folder


@pytest.mark.parametrize("changes", [{"seeds": (1, 2)}, {"notes": "What it is for."}])
def test_a_study_that_has_grown_keeps_its_board(file, capsys, changes):
    write_results(Path("leaderboards/mine"), STUDY, file, board_rows())
    grown = replace(STUDY, **changes)
    file.write_text(study_toml(grown))
    assert choose_board(None, grown, file) == Path("leaderboards/mine")
    assert capsys.readouterr().err == ""


def test_a_board_without_a_study_is_left_alone(file):
    write_board(Path("leaderboards/mine"), board_rows())
    assert choose_board(None, STUDY, file).name.startswith("mine-")


def test_a_study_file_that_cannot_be_read_is_left_alone(file):
    write_results(Path("leaderboards/mine"), STUDY, file, board_rows())
    Path("leaderboards/mine/study.toml").write_text("not TOML")
    assert choose_board(None, STUDY, file).name.startswith("mine-")


def test_a_sweep_s_folder_is_left_alone(file):
    write_results(Path("leaderboards/mine/1-10"), STUDY, file, board_rows())
    assert choose_board(None, STUDY, file).name.startswith("mine-")
    study = Path("leaderboards/mine/study.toml")
    study.write_text(study_toml(STUDY))
    assert choose_board(None, STUDY, study).name.startswith("mine-")


def test_a_named_folder_with_another_study_s_board_is_refused(file):
    there = Path("elsewhere")
    write_results(there, OTHERS[0], None, board_rows())
    before = contents(there)
    with pytest.raises(UsageError, match="elsewhere holds the board of another study; name anoth"):
        choose_board(there, STUDY, file)
    with pytest.raises(UsageError, match="elsewhere holds the board of another study; name anoth"):
        write_results(there, STUDY, file, board_rows())
    assert contents(there) == before


@pytest.mark.parametrize("name", ["", ".", "..", "../esc", "a/b", "/tmp/a", "a\\b", "a\nb", "a\0"])
def test_a_name_that_is_no_folder_s_is_a_usage_error(file, name):
    study = replace(STUDY, name=name)
    file.write_text(study_toml(study))
    with pytest.raises(UsageError, match=r"mine\.toml: name .* is no name of a folder; give one"):
        choose_board(None, study, file)
    assert choose_board(Path("elsewhere"), study, file) == Path("elsewhere")
