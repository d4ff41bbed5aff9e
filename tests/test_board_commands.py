import pytest
import typer
from board_rows import board_rows
from typer.testing import CliRunner

from mftbench.commands.compare import compare
from mftbench.commands.leaderboard import leaderboard
from mftbench.leaderboard.files import write_board

app = typer.Typer()
app.command()(leaderboard)
app.command()(compare)


@pytest.fixture
def boards(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "leaderboards" / "laptop"
    write_board(folder, board_rows())
    return folder


def run(*arguments):
    return CliRunner().invoke(app, arguments)


def test_check_is_silent_and_0_for_a_current_board(boards):
    result = run("leaderboard", "laptop", "--check")
    assert (result.exit_code, result.output) == (0, "")


def test_check_names_the_stale_file_and_the_remedy(boards):
    (boards / "README.md").write_text("by hand")
    result = run("leaderboard", "laptop", "--check")
    assert result.exit_code == 1
    assert result.stderr == (
        "leaderboards/laptop/README.md does not follow from its rows; "
        "run: mftbench leaderboard leaderboards/laptop --write\n"
    )


def test_the_remedy_works(boards):
    (boards / "README.md").write_text("by hand")
    assert run("leaderboard", "laptop", "--write").exit_code == 0
    assert run("leaderboard", "laptop", "--check").exit_code == 0


def test_a_format_goes_to_stdout_as_it_is(boards):
    assert run("leaderboard", "laptop", "--format", "md").stdout == (
        (boards / "README.md").read_text()
    )


def test_without_a_format_the_board_is_shown(boards):
    assert "laptop: nano" in run("leaderboard", "laptop").stdout


def test_compare_prints_a_line_per_task(boards):
    result = run("compare", "laptop/mft", "mixed")
    assert result.exit_code == 0
    assert "laptop/mft against laptop/mixed" in result.stdout
