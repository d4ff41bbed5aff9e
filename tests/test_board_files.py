import json
from dataclasses import replace

import pytest
from board_rows import MFT, board_rows, row

from mftbench.canonical import dumps
from mftbench.errors import StoreError, UsageError
from mftbench.leaderboard.files import check_board, find_board, read_board, write_board
from mftbench.leaderboard.rows import read_rows
from mftbench.leaderboard.sides import compare_names
from mftbench.study import Study, study_toml


@pytest.fixture
def boards(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "leaderboards" / "laptop"
    write_board(folder, board_rows())
    return folder


def stale(folder):
    return [found.place for found in check_board(folder)]


def files(folder):
    return [place.split(":")[0] for place in stale(folder)]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_board_is_rows_readme_and_latex(boards):
    assert sorted(contents(boards)) == ["README.md", "results.jsonl", "table.tex"]


def test_a_board_just_written_is_current(boards):
    assert check_board(boards) == []


def test_writing_again_in_any_order_changes_no_byte(boards):
    before = contents(boards)
    write_board(boards, reversed(board_rows()))
    assert contents(boards) == before


def test_a_file_that_does_not_change_is_not_touched(boards):
    before = (boards / "README.md").stat().st_ino
    write_board(boards, board_rows())
    assert (boards / "README.md").stat().st_ino == before


@pytest.mark.parametrize("name", ["README.md", "table.tex"])
def test_an_edited_or_deleted_file_is_stale(boards, name):
    (boards / name).write_text("by hand")
    assert stale(boards) == [f"{name}:1"]
    (boards / name).unlink()
    assert stale(boards) == [name]


def test_edited_rows_make_what_follows_from_them_stale(boards):
    rows = [r for r in read_rows(boards / "results.jsonl") if r.mode != "base"]
    fresh = boards.parent / "fresh"
    write_board(fresh, rows)
    (boards / "results.jsonl").write_bytes((fresh / "results.jsonl").read_bytes())
    assert files(boards) == ["README.md", "table.tex"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("value", 0.99), ("low", 0.5), ("high", 0.9), ("missing", 3), ("in_process", 101)],
)
def test_an_edited_row_is_named_by_its_cell(boards, field, value):
    path = boards / "results.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    edited = next(line for line in lines if line["mode"] == "mft" and line["task"] == "sql")
    edited[field] = value
    path.write_text("".join(f"{dumps(line)}\n" for line in lines))
    found = [found for found in check_board(boards) if found.place == "results.jsonl"]
    assert found[0].reason.startswith("nano mft:task_token on sql (starter) pass@1 seed 1: ")
    assert field in found[0].reason


def test_edited_outcomes_are_named(boards):
    rows = read_rows(boards / "results.jsonl")
    edited = replace(rows[0], outcomes={"passed": 99, "failed": 1})
    write_board(boards, [edited, *rows[1:]])
    assert "outcomes.passed is 99.0" in check_board(boards)[0].reason


def test_an_edited_line_of_a_table_is_named(boards):
    path = boards / "README.md"
    text = path.read_text()
    path.write_text(text.replace("| mixed | ", "| mixed | 9", 1))
    (found,) = check_board(boards)
    assert found.place.startswith("README.md:")
    assert "| mixed | 9" in found.reason


def test_rows_out_of_order_are_stale(boards):
    path = boards / "results.jsonl"
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    assert stale(boards) == ["results.jsonl:1"]


def test_a_changed_study_makes_the_readme_stale(boards):
    (boards / "study.toml").write_text(
        'name = "laptop"\nmodels = ["nano"]\ntasks = ["sql", "completion"]\n'
    )
    assert files(boards) == ["README.md", "table.tex"]


def test_no_rows_still_make_a_board(tmp_path):
    write_board(tmp_path / "new", [])
    assert check_board(tmp_path / "new") == []


def test_rows_that_do_not_belong_together_leave_the_board_as_it_was(boards):
    before = contents(boards)
    with pytest.raises(UsageError):
        write_board(boards, [*board_rows(), *board_rows()])
    assert contents(boards) == before


def test_a_disk_that_refuses_is_one_error_that_names_the_file(tmp_path):
    (tmp_path / "board").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"results\.jsonl"):
        write_board(tmp_path / "board", [])


def test_a_board_is_found_by_name_and_by_folder(boards):
    assert read_board(find_board("laptop")) == read_board(find_board(str(boards)))


def test_a_board_that_is_not_there_names_both_places(boards):
    with pytest.raises(UsageError, match="in laptup or leaderboards/laptup"):
        find_board("laptup")


def test_systems_of_one_board_compare_by_short_names(boards):
    pair = compare_names("laptop/mft", "mixed")
    assert (pair.a, pair.b) == ("laptop/mft", "laptop/mixed")
    assert len(pair.compared) == 2


def test_systems_of_two_boards_compare_on_what_both_answered(boards):
    write_board(boards.parent / "other", board_rows(tasks=("sql", "comment")))
    pair = compare_names("laptop/mft:task_token", "other/mft")
    assert [column.task for column, _ in pair.compared] == ["sql"]
    assert [column.task for column, _ in pair.skipped] == ["completion", "comment"]


def test_boards_with_other_problems_do_not_compare(boards):
    write_board(boards.parent / "other", [row([1.0, 0.0], **MFT)])
    pair = compare_names("laptop/mft", "other/mft")
    assert (pair.compared, pair.skipped[0][1]) == ((), "different problems")


@pytest.mark.parametrize(
    ("a", "b", "complaint"),
    [
        ("mft", "mixed", "names no board; write BOARD/MODE"),
        ("laptop/mfd", "mixed", "unknown system 'mfd' in laptop/mfd; known: base"),
        ("laptop/mft", "mixd", "did you mean 'mixed'"),
        ("nowhere/mft", "mixed", "no results.jsonl"),
    ],
)
def test_a_side_that_means_nothing_is_a_usage_error(boards, a, b, complaint):
    with pytest.raises(UsageError, match=complaint):
        compare_names(a, b)


def test_a_mode_with_several_balancers_asks_for_one(boards):
    other = MFT | {"balancer": "famo"}
    write_board(boards, [*board_rows(), *(row([1.0] * 100, task=t, **other) for t in ("sql",))])
    with pytest.raises(UsageError, match="one of mft:famo, mft:task_token"):
        compare_names("laptop/mft", "mixed")


def test_several_base_models_ask_for_one(boards):
    rows = [*board_rows(), *(replace(r, model="smollm2") for r in board_rows())]
    write_board(boards, rows)
    with pytest.raises(UsageError, match=r"2 models \(nano, smollm2\); name --model"):
        compare_names("laptop/mft", "mixed")
    assert len(compare_names("laptop/mft", "mixed", "smollm2").compared) == 2


def test_a_board_elsewhere_is_made_again_from_the_folder_that_holds_it(tmp_path):
    folder = tmp_path / "my boards" / "one cut"
    study = Study(name="s", models=("nano",), tasks=("sql",))
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(study_toml(study))
    write_board(folder, board_rows())
    text = (folder / "README.md").read_text()
    assert "# from the folder that holds this one\n" in text
    assert "mftbench run 'one cut' --board 'one cut'\n" in text
    assert "leaderboards/" not in text
    moved = folder.rename(tmp_path / "one cut")
    assert check_board(moved) == []


def test_rows_without_a_study_are_not_said_to_run_again(boards):
    assert "mftbench run" not in (boards / "README.md").read_text()
    assert "mftbench leaderboard laptop --check" in (boards / "README.md").read_text()


def test_a_row_that_an_older_version_bounded_is_written_with_its_own_interval(boards):
    rows = list(read_rows(boards / "results.jsonl"))
    before = contents(boards)
    write_board(boards, [replace(each, low=0.0, high=1.0) for each in rows])
    assert contents(boards) == before
    assert check_board(boards) == []
