"""Plugins: found by name without being imported, opened with checked options, blamed by name."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from mftbench import plugins
from mftbench.contract import Source, Task
from mftbench.errors import PluginError, UsageError
from mftbench.plugins import find_tasks, load_task, open_source

SIX = ["comment", "completion", "sql", "test_generation", "text_to_code", "translation"]

MINIMAL = """
from mftbench.contract import Outcome, Source, Task, Verdict
TASK = Task(name={name!r}, version=1, summary="", sources={{}},
            program=lambda problem, completion: Verdict(Outcome.NO_CODE),
            judge=lambda problem, execution: Verdict(Outcome.NO_CODE))
"""


def plugin(folder: Path, name: str, text: str | None = None) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(MINIMAL.format(name=name) if text is None else text)
    return folder


def test_the_six_tasks_are_found_and_the_template_is_not():
    assert list(find_tasks()) == SIX


@pytest.mark.parametrize("name", SIX)
def test_a_built_in_task_loads_under_its_own_name(name):
    assert load_task(name).name == name


def test_listing_imports_no_plugin():
    code = (
        "import sys; from mftbench.plugins import find_tasks; find_tasks();"
        "print([name for name in sys.modules if name.startswith('mftbench.tasks.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_folder_given_by_option_adds_its_tasks(tmp_path):
    plugin(tmp_path, "extra")
    assert isinstance(load_task("extra", [tmp_path]), Task)


def test_a_plugin_is_found_only_where_its_folder_was_named(tmp_path):
    load_task("extra", [plugin(tmp_path, "extra")])
    assert "extra" not in find_tasks()


def test_a_plugin_imports_its_own_modules_and_shadows_no_one_elses(tmp_path):
    text = "from .json import WORD\n" + MINIMAL.format(name="own") + "SAID = WORD\n"
    plugin(tmp_path, "own", text)
    (tmp_path / "own" / "json.py").write_text("WORD = 'mine'\n")
    load_task("own", [tmp_path])
    assert sys.modules["mftbench.tasks.own"].SAID == "mine"
    assert "loads" in dir(sys.modules["json"])


def test_two_folders_may_hold_a_plugin_of_one_name_one_after_the_other(tmp_path):
    first = plugin(tmp_path / "a", "same")
    second = plugin(tmp_path / "b", "same", MINIMAL.format(name="same") + "SECOND = True\n")
    load_task("same", [first])
    load_task("same", [second])
    assert sys.modules["mftbench.tasks.same"].SECOND


def test_the_same_folder_named_twice_is_no_conflict(tmp_path):
    plugin(tmp_path, "extra")
    assert "extra" in find_tasks([tmp_path, tmp_path / "extra" / ".."])


def test_two_plugins_of_one_name_is_an_error_that_names_both_origins(tmp_path):
    plugin(tmp_path, "sql")
    with pytest.raises(UsageError, match=r"two tasks named 'sql': .*tasks.sql and .*sql"):
        find_tasks([tmp_path])


def test_an_entry_point_is_a_plugin_and_its_distribution_is_named(monkeypatch):
    points = EntryPoints([EntryPoint("sql", "somewhere:TASK", plugins.ENTRY_POINT_GROUP)])
    monkeypatch.setattr(plugins, "entry_points", lambda group: points.select(group=group))
    with pytest.raises(UsageError, match=r"entry point of an unnamed distribution: somewhere:TASK"):
        find_tasks()


def test_an_entry_point_loads_the_task_that_it_names(monkeypatch, tmp_path):
    (tmp_path / "someones_package.py").write_text(MINIMAL.format(name="theirs"))
    monkeypatch.syspath_prepend(tmp_path)
    points = EntryPoints([EntryPoint("theirs", "someones_package:TASK", "mftbench.tasks")])
    monkeypatch.setattr(plugins, "entry_points", lambda group: points.select(group=group))
    assert load_task("theirs").name == "theirs"
    assert find_tasks()["theirs"].folder() == tmp_path


def test_an_unknown_task_gets_a_suggestion():
    with pytest.raises(UsageError, match="unknown task 'complation'; did you mean 'completion'"):
        load_task("complation")


def test_a_missing_tasks_folder_is_named(tmp_path):
    with pytest.raises(UsageError, match="absent' is not a folder"):
        find_tasks([tmp_path / "absent"])


def test_a_folder_that_is_no_python_name_is_named(tmp_path):
    with pytest.raises(UsageError, match="my-task' is not a Python name"):
        find_tasks([plugin(tmp_path, "my-task")])


def test_folders_with_a_leading_underscore_are_skipped(tmp_path):
    assert "_draft" not in find_tasks([plugin(tmp_path, "_draft")])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 / 0", r"import\(\) raised ZeroDivisionError"),
        ("def (", r"import\(\) raised SyntaxError"),
        ("import nowhere_to_be_found", r"import\(\) raised ModuleNotFoundError"),
        ("raise SystemExit(3)", r"import\(\) raised SystemExit"),
        ("", "has no TASK"),
        ("TASK = 5", "TASK is of type int, not a Task"),
        (MINIMAL.format(name="other"), "calls itself 'other'"),
    ],
)
def test_a_broken_plugin_is_blamed_by_name(tmp_path, text, reason):
    plugin(tmp_path, "broken", text)
    with pytest.raises(PluginError, match=reason) as raised:
        load_task("broken", [tmp_path])
    assert "broken" in str(raised.value)


def test_a_plugin_that_failed_is_imported_anew_the_next_time(tmp_path):
    plugin(tmp_path, "mended", "1 / 0")
    with pytest.raises(PluginError):
        load_task("mended", [tmp_path])
    (tmp_path / "mended" / "__init__.py").write_text(MINIMAL.format(name="mended"))
    assert load_task("mended", [tmp_path]).name == "mended"


def test_an_unknown_source_gets_a_suggestion():
    with pytest.raises(UsageError, match="unknown source 'starer' in task 'sql'; did you mean"):
        open_source(load_task("sql"), "starer")


def test_an_unknown_option_gets_a_suggestion():
    with pytest.raises(UsageError, match=r"unknown option 'problem' in source 'starter'.*problems"):
        open_source(load_task("sql"), "starter", {"problem": 3})


@pytest.mark.parametrize("value", ["many", 0, -1, 2.5, None, [1]])
def test_a_wrong_value_of_an_option_is_refused_by_its_type(value):
    with pytest.raises(UsageError, match="option 'problems' of source 'starter'"):
        open_source(load_task("sql"), "starter", {"problems": value})


def test_a_factory_may_be_a_partial_and_an_option_may_have_no_type():
    def rows(letter, count: int, *, upper: bool = False):
        name = letter.upper() if upper else letter
        return Source(name * count, "", "", list, list, str)

    task = replace(load_task("sql"), sources={"rows": partial(rows, "a")})
    assert open_source(task, "rows", {"count": 3, "upper": True}).name == "AAA"
    with pytest.raises(UsageError, match="source 'rows' of task 'sql' needs the option 'count'"):
        open_source(task, "rows")


def test_a_source_has_as_many_rows_as_its_options_say():
    source = open_source(load_task("sql"), "starter", {"train": 7, "problems": 5})
    assert (len(list(source.train())), len(list(source.problems()))) == (7, 5)
