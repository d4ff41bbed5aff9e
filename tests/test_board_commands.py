import json
import math
import re
from dataclasses import replace

import pytest
import typer
from board_rows import board_rows
from typer.testing import CliRunner

from mftbench.commands.compare import compare
from mftbench.commands.leaderboard import app as leaderboard
from mftbench.leaderboard.files import write_board
from mftbench.leaderboard.rows import read_rows
from mftbench.stages import Balance, Optim
from mftbench.study import Study, TaskSettings, study_toml

STUDY = Study(name="laptop", models=("nano",), tasks=("completion", "sql"))

app = typer.Typer()
app.add_typer(leaderboard, name="leaderboard")
app.command()(compare)


@pytest.fixture
def boards(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "leaderboards" / "laptop"
    write_board(folder, board_rows())
    return folder


def write_part(folder, study, **rows):
    write_board(folder, board_rows(**rows))
    (folder / "study.toml").write_text(study_toml(study))
    write_board(folder, board_rows(**rows))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


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


CELLS = [
    {"tasks": ("completion",), "data": {"completion": TaskSettings(weight=2.0)}},
    {"models": ("smollm2",)},
    {"modes": ("mft",)},
    {"balancers": (Balance("famo"),)},
    {"seeds": (2,)},
    {"baseline": False},
    {"name": "other", "notes": "On the large machine."},
]


@pytest.mark.parametrize("changes", CELLS)
def test_merge_joins_parts_of_one_study(boards, tmp_path, changes):
    whole = replace(STUDY, data={"completion": TaskSettings(weight=2.0)})
    write_part(boards, whole, seeds=(1,))
    write_part(boards.parent / "other", replace(whole, **changes), seeds=(2,))
    out = tmp_path / "merged"
    assert run("leaderboard", "merge", "laptop", "other", "--out", str(out)).exit_code == 0
    assert len(read_rows(out / "results.jsonl")) == 16
    assert not (out / "study.toml").exists()


def test_merge_of_one_study_keeps_its_file(boards, tmp_path):
    write_part(boards, STUDY, seeds=(1,))
    write_part(boards.parent / "other", STUDY, seeds=(2,))
    out = tmp_path / "merged"
    for _ in range(2):
        assert run("leaderboard", "merge", "laptop", "other", "--out", str(out)).exit_code == 0
    assert (out / "study.toml").read_bytes() == (boards / "study.toml").read_bytes()


def test_merge_lets_each_model_be_trained_in_its_own_way(boards, tmp_path):
    write_part(boards, STUDY, seeds=(1,))
    other = replace(STUDY, models=("another",), optim=Optim(lr=0.5))
    write_part(boards.parent / "other", other, seeds=(2,))
    result = run("leaderboard", "merge", "laptop", "other", "--out", str(tmp_path / "merged"))
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "merged" / "study.toml").exists()


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"optim": Optim(lr=0.5, steps=7)}, "optim.lr, optim.steps"),
        ({"data": {"sql": TaskSettings(weight=2.0)}}, "data.sql.weight"),
        ({"unseen": ("sql",)}, "unseen"),
        ({"format": "chatml"}, "format"),
    ],
)
def test_merge_refuses_boards_of_other_settings_and_names_these(boards, tmp_path, changes, names):
    write_part(boards, STUDY, seeds=(1,))
    write_part(boards.parent / "other", replace(STUDY, **changes), seeds=(2,))
    result = run("leaderboard", "merge", "laptop", "other", "--out", str(tmp_path / "merged"))
    assert str(result.exception) == (
        f"the studies of leaderboards/laptop, leaderboards/other differ in {names}; "
        "merge only boards of one study"
    )
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize(
    ("study", "complaint"),
    [
        (
            replace(STUDY, optim=Optim(lr=0.5)),
            r"than leaderboards/laptop \(optim.lr\); name another",
        ),
        (replace(STUDY, tasks=("sql",)), r"than leaderboards/laptop \(cells\); name another"),
        (STUDY, "holds another board: 8 rows would be lost; name another folder by --out"),
    ],
)
def test_merge_leaves_another_board_in_its_place(boards, study, complaint):
    write_part(boards, STUDY, seeds=(1,))
    there = boards.parent / "there"
    write_part(there, study, seeds=(3,))
    before = contents(there)
    result = run("leaderboard", "merge", "laptop", "laptop", "--out", str(there))
    assert result.exit_code == 1
    assert re.search(complaint, str(result.exception))
    assert contents(there) == before


def test_merge_leaves_a_sweep_alone(boards):
    write_part(boards.parent / "sweep" / "1-10", STUDY)
    result = run("leaderboard", "merge", "laptop", "--out", str(boards.parent / "sweep"))
    assert "sweep holds a sweep; name another folder by --out" in str(result.exception)


def test_a_merge_below_a_file_is_one_line(boards, tmp_path):
    (tmp_path / "file").write_text("here")
    result = run("leaderboard", "merge", "laptop", "--out", str(tmp_path / "file" / "merged"))
    assert "cannot make the folder" in str(result.exception)


def edit(board, **values):
    path = board / "results.jsonl"
    first, *others = path.read_text().splitlines(keepends=True)
    path.write_text(json.dumps(json.loads(first) | values) + "\n" + "".join(others))


def test_an_edited_row_is_to_be_restored_and_is_not_printed(boards):
    edit(boards, value=0.99)
    before = contents(boards)
    checked = run("leaderboard", "laptop", "--check")
    assert (checked.exit_code, "--write" in checked.stderr.splitlines()[0]) == (1, False)
    remedy = "; restore results.jsonl, or make the board again"
    assert checked.stderr.splitlines()[0].endswith(remedy)
    written = run("leaderboard", "laptop", "--write")
    assert str(written.exception).startswith("leaderboards/laptop/results.jsonl: nano base on ")
    assert str(written.exception).endswith(remedy)
    assert contents(boards) == before


def test_merge_refuses_an_edited_row(boards, tmp_path):
    edit(boards, value=0.99)
    result = run("leaderboard", "merge", "laptop", "--out", str(tmp_path / "merged"))
    assert "leaderboards/laptop/results.jsonl: nano base on completion" in str(result.exception)
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("arguments", [("--check",), ("--format", "json"), ("--write",), ()])
def test_a_number_that_is_none_is_one_line(boards, number, arguments):
    edit(boards, value=number)
    result = run("leaderboard", "laptop", *arguments)
    assert str(result.exception) == (
        "leaderboards/laptop/results.jsonl:1: field 'value': input should be a finite number; "
        "restore the file, or make the board again"
    )


def test_the_names_that_are_listed_are_found(boards):
    write_board(boards.parent / "sweep" / "1-10", board_rows())
    said = str(run("leaderboard").exception)
    assert said == "name a board: laptop, sweep/1-10"
    assert run("leaderboard", "sweep/1-10", "--check").exit_code == 0
