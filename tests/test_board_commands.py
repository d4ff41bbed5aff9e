from dataclasses import replace

import pytest
import typer
from board_rows import board_rows
from typer.testing import CliRunner

from mftbench.commands.compare import compare
from mftbench.commands.leaderboard import app as leaderboard
from mftbench.leaderboard.files import write_board
from mftbench.leaderboard.rows import read_rows

app = typer.Typer()
app.add_typer(leaderboard, name="leaderboard")
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
    assert result.stderr.startswith("leaderboards/laptop/README.md:1: 'by hand' does not follow")
    assert result.stderr.endswith("run: mftbench leaderboard leaderboards/laptop --write\n")


def test_check_without_a_board_checks_all(boards):
    write_board(boards.parent / "other", board_rows(tasks=("sql",)))
    assert run("leaderboard", "--check").exit_code == 0
    (boards.parent / "other" / "table.tex").unlink()
    result = run("leaderboard", "--check")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "other/table.tex: it is not there" in result.stderr


def test_a_board_must_be_named_to_be_shown(boards):
    error = run("leaderboard").exception
    assert str(error) == "name a board: laptop"


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


def test_merge_joins_the_rows_of_several_machines(boards, tmp_path):
    write_board(boards.parent / "other", board_rows(tasks=("comment",)))
    out = tmp_path / "merged"
    assert run("leaderboard", "merge", "laptop", "other", "--out", str(out)).exit_code == 0
    assert len(read_rows(out / "results.jsonl")) == 12
    assert run("leaderboard", str(out), "--check").exit_code == 0


def test_merging_a_board_with_itself_changes_nothing(boards, tmp_path):
    out = tmp_path / "laptop"
    run("leaderboard", "merge", "laptop", "laptop", "--out", str(out))
    assert (out / "results.jsonl").read_bytes() == (boards / "results.jsonl").read_bytes()


def test_merge_refuses_rows_whose_keys_conflict(boards, tmp_path):
    rows = board_rows()
    other = replace(rows[-1], keys=replace(rows[-1].keys, train="x"))
    write_board(boards.parent / "other", [other])
    result = run("leaderboard", "merge", "laptop", "other", "--out", str(tmp_path / "merged"))
    assert "conflict on nano mft:task_token on sql (starter) pass@1 seed 1" in str(result.exception)
    assert "train keys 't' and 'x'" in str(result.exception)
    assert not (tmp_path / "merged").exists()


def test_merge_refuses_rows_of_one_key_that_differ(boards, tmp_path):
    rows = board_rows()
    write_board(boards.parent / "other", [replace(rows[-1], items=rows[-1].items[::-1])])
    result = run("leaderboard", "merge", "laptop", "other", "--out", str(tmp_path / "merged"))
    assert "differ on nano mft:task_token" in str(result.exception)


def test_compare_labels_synthetic_data_and_in_process_checkers(boards):
    write_board(boards, [replace(row, in_process=3) for row in board_rows()])
    said = run("compare", "laptop/mft", "mixed").stdout
    assert "Synthetic data: all columns." in said
    assert "In-process checker: mft:task_token on completion (starter) 3 of 100" in said
