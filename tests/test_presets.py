"""The presets: they load, name sources that there are, and hold tasks out as the study does."""

from __future__ import annotations

import pytest

from mftbench.plugins import load_task, open_source
from mftbench.study import built_in_studies, load_study, select

PRESETS = ("small", "paper")


def preset(name: str):
    return load_study(built_in_studies()[name])


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_found_by_its_own_name(name):
    assert preset(name).name == name


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_covers_all_six_tasks(name):
    assert len(preset(name).tasks) == 6


@pytest.mark.needs_data
@pytest.mark.parametrize("name", PRESETS)
def test_every_source_of_a_preset_opens_with_its_options(name):
    study = preset(name)
    for task in study.tasks:
        settings, plugin = study.settings(task), load_task(task)
        for source in (settings.train, *settings.evaluate):
            opened = open_source(plugin, source, settings.options.get(source))
            wanted = opened.train() if source == settings.train else opened.problems()
            assert next(iter(wanted), None) is not None, f"{task}/{source}"


def test_paper_holds_sql_out_as_the_study_did():
    assert preset("paper").unseen == ("sql",)
    assert "sql" not in preset("paper").train_tasks


def test_unseen_leaves_a_task_in_the_evaluation_and_out_of_the_training():
    study = select(preset("small"), unseen="sql")
    assert "sql" in study.tasks
    assert "sql" not in study.train_tasks
    assert len(study.train_tasks) == 5
