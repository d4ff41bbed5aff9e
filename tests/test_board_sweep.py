"""A page over boards that differ in a few settings."""

from dataclasses import replace

import pytest
import typer
from board_rows import BASE, MFT, MIXED, board_rows, row
from typer.testing import CliRunner

from mftbench.commands.leaderboard import app as leaderboard
from mftbench.errors import UsageError
from mftbench.leaderboard.files import write_board
from mftbench.leaderboard.sweep import read_sweep, sweep_is_current, write_sweep
from mftbench.study import Study, TaskSettings, study_toml

STUDY = Study(name="s", models=("nano",), tasks=("sql",), notes="Fewer and fewer rows.")
app = typer.Typer()
app.add_typer(leaderboard, name="leaderboard")


def write_point(folder, name, train, rows):
    settings = TaskSettings(options={"starter": {"train": train}})
    (folder / name).mkdir(parents=True)
    text = study_toml(replace(STUDY, data={"sql": settings}))
    (folder / name / "study.toml").write_text(text)
    write_board(folder / name, [replace(each, board=name) for each in rows])


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "leaderboards" / "imbalance"
    even = [row([1.0, 0.0] * 50, task="sql", **mode) for mode in (MFT, MIXED)]
    write_point(folder, "1-1", 400, even)
    ahead = [row([1.0] * 100, task="sql", **MFT), row([1.0, 0.0] * 50, task="sql", **MIXED)]
    write_point(folder, "1-100", 4, [*ahead, row([0.0] * 100, task="sql", **BASE)])
    return folder


def test_the_setting_that_varies_is_found_and_orders_the_boards(sweep):
    found = read_sweep(sweep)
    assert found.keys == ("data.sql.options.starter.train",)
    assert [
        (board.name.removeprefix("imbalance/"), value)
        for board, value in zip(found.boards, found.values, strict=True)
    ] == [
        ("1-1", (400,)),
        ("1-100", (4,)),
    ]


def test_the_page_says_where_balancing_helps(sweep):
    text = write_sweep(sweep).read_text()
    assert (
        "- mft:task_token against mixed on sql (starter): better at 1-100; "
        "inside the noise at 1-1." in text
    )
    assert "| [1-100](1-100/README.md) | 4 | +50.0 better<br>" in text
    assert "Fewer and fewer rows." in text


def test_a_board_of_a_sweep_names_itself_as_commands_find_it(sweep):
    text = (sweep / "1-100" / "README.md").read_text()
    assert text.startswith("# imbalance/1-100\n")
    assert "mftbench run leaderboards/imbalance/1-100\n" in text
    assert "mftbench leaderboard imbalance/1-100 --check\n" in text
    assert "mftbench show imbalance/1-100/mft:task_token/sql@starter -n 3\n" in text
    command = ["leaderboard", "imbalance/1-100", "--check"]
    assert CliRunner().invoke(app, command).exit_code == 0


def test_a_system_that_one_board_lacks_is_a_dash_there(sweep):
    text = write_sweep(sweep).read_text()
    assert "| board | `data.sql.options.starter.train` | mixed | mft:task_token | base |" in text
    assert "| – |" in text or "| –<br> |" in text


def test_the_page_has_a_figure_that_is_the_same_every_time(sweep):
    assert "](sweep.svg)" in write_sweep(sweep).read_text()
    first = (sweep / "sweep.svg").read_bytes()
    write_sweep(sweep)
    assert first.startswith(b"<?xml")
    assert b">synthetic<" in first
    assert (sweep / "sweep.svg").read_bytes() == first


def test_an_edited_page_is_stale(sweep):
    page = write_sweep(sweep)
    assert sweep_is_current(sweep)
    page.write_text(page.read_text().replace("better at", "much better at"))
    result = CliRunner().invoke(app, ["leaderboard", "--check"])
    assert result.exit_code == 1
    assert "imbalance/README.md does not follow from its boards" in result.stderr
    assert CliRunner().invoke(app, ["leaderboard", "sweep", str(sweep)]).exit_code == 0
    assert CliRunner().invoke(app, ["leaderboard", "--check"]).exit_code == 0


def test_one_board_is_no_sweep(tmp_path):
    write_point(tmp_path, "only", 4, board_rows(tasks=("sql",)))
    with pytest.raises(UsageError, match="holds 1 boards with a study; a sweep needs two"):
        read_sweep(tmp_path)


def test_equal_studies_are_no_sweep(tmp_path):
    for name in ("a", "b"):
        write_point(tmp_path, name, 4, board_rows(tasks=("sql",)))
    with pytest.raises(UsageError, match="nothing varies"):
        read_sweep(tmp_path)


def test_a_note_on_some_boards_names_them_and_one_on_all_stands_alone(sweep):
    without_code = [row([0.0] * 100, task="sql", outcomes={"no_code": 100}, **MIXED)]
    write_point(sweep, "1-10", 40, without_code)
    notes = write_sweep(sweep).read_text().partition("## Notes")[2].splitlines()
    assert "- Bold: the highest value of its line." in notes[2]
    assert any(line.startswith("- 1-10: No code could be extracted: mixed") for line in notes)
    assert any(line.startswith("- Values are percent") for line in notes)


def test_boards_below_a_folder_without_a_page_are_no_sweep_to_check(sweep):
    assert CliRunner().invoke(app, ["leaderboard", "--check"]).exit_code == 0


def test_a_page_that_is_no_text_is_no_sweep_s(sweep):
    (sweep / "README.md").write_bytes(b"\xff\xfe")
    assert CliRunner().invoke(app, ["leaderboard", "--check"]).exit_code == 0
