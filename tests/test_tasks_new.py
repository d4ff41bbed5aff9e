"""``mftbench tasks``: a new task works without touching the core; commands tell faults plainly."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from mftbench.commands import data, tasks
from mftbench.errors import UsageError
from mftbench.plugins import find_tasks, load_task, open_source
from mftbench.sandbox.scripted import Scripted
from mftbench.scaffold import new_task
from mftbench.testing.task import check_task


def invoke(app, *arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_new_task_is_a_plugin_of_at_most_60_lines(tmp_path):
    folder = new_task("haiku", tmp_path)
    assert len((folder / "__init__.py").read_text().splitlines()) <= 60
    assert "my_task" not in "".join(file.read_text() for file in folder.iterdir())
    assert load_task("haiku", [tmp_path]).name == "haiku"


def test_a_new_task_has_something_to_learn_from_and_to_ask(tmp_path):
    new_task("haiku", tmp_path)
    source = open_source(load_task("haiku", [tmp_path]), "own")
    assert list(source.train())
    assert list(source.problems())


@pytest.mark.needs_bubblewrap
def test_a_new_task_is_proved_by_the_command_that_is_printed(tmp_path):
    made = invoke(tasks.app, "new", "haiku", "--dir", tmp_path)
    assert f"mftbench tasks check haiku --tasks-dir {tmp_path}" in made.output
    checked = invoke(tasks.app, "check", "haiku", "--tasks-dir", tmp_path)
    assert checked.exit_code == 0, checked.output
    assert "every gold passes (2 of 2)" in checked.output


@pytest.mark.needs_bubblewrap
def test_a_wrong_gold_in_a_new_task_ends_the_check_with_exit_code_1(tmp_path):
    rows = new_task("haiku", tmp_path) / "rows.jsonl"
    rows.write_text(rows.read_text().replace("n * 3", "n * 4"))
    checked = invoke(tasks.app, "check", "haiku", "--tasks-dir", tmp_path)
    assert checked.exit_code == 1
    assert "problem-1 failed" in checked.output


def test_a_new_task_runs_wherever_a_task_does(tmp_path):
    new_task("haiku", tmp_path)
    task = load_task("haiku", [tmp_path])
    sandbox = Scripted()
    check_task(task, sandbox, open_source(task, "own"))
    assert {program.language for program in sandbox.programs} == {"python"}


@pytest.mark.parametrize("name", ["my-task", "class", "_draft", "1st", ""])
def test_a_name_that_cannot_be_imported_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="is not a Python name"):
        new_task(name, tmp_path)


def test_a_name_that_is_taken_is_refused_with_its_origin(tmp_path):
    with pytest.raises(UsageError, match=r"there is a task 'sql' already: .*sql"):
        new_task("sql", tmp_path)


def test_a_folder_that_exists_is_not_written_over(tmp_path):
    (tmp_path / "haiku").mkdir()
    with pytest.raises(UsageError, match="exists already"):
        new_task("haiku", tmp_path)


def test_list_names_every_task_with_its_origin():
    listed = invoke(tasks.app, "list").output
    assert [line.split()[0] for line in listed.splitlines()] == list(find_tasks())


@pytest.mark.needs_bubblewrap
def test_a_source_that_cannot_be_had_is_skipped_with_its_reason(monkeypatch):
    monkeypatch.delenv("MFTBENCH_DATA", raising=False)
    checked = invoke(tasks.app, "check", "text_to_code", "--limit", 1)
    assert checked.exit_code == 0
    assert "skipped: no data file 'mbpp/mbpp.jsonl'" in checked.output


def test_data_write_writes_what_the_source_holds(tmp_path):
    out = tmp_path / "rows.jsonl"
    done = invoke(data.app, "write", "sql", "starter", "--out", out, "-o", "train=3")
    assert done.exit_code == 0
    assert len(out.read_text().splitlines()) == 3


def test_data_show_shows_rendered_prompts():
    shown = invoke(data.app, "show", "comment", "starter", "-n", 1)
    assert "# Comment:" in shown.output


def test_data_check_finds_no_leak():
    assert invoke(data.app, "check").exit_code == 0


def test_an_option_without_a_value_is_refused():
    done = invoke(data.app, "show", "sql", "starter", "-o", "train")
    assert isinstance(done.exception, UsageError)
