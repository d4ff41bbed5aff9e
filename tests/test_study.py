"""Studies: one file and its overrides, every wrong key named."""

from __future__ import annotations

import pytest

from mftbench.errors import UsageError
from mftbench.stages import Balance
from mftbench.study import built_in_studies, find_study, load_study, parse_study, select, study_toml

SMALL = {"name": "s", "models": ["nano"], "tasks": ["completion", "sql"]}


@pytest.fixture
def study_file(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text('name = "s"\nmodels = ["nano"]\ntasks = ["completion", "sql"]\n')
    return path


@pytest.mark.parametrize("name", sorted(built_in_studies()))
def test_every_shipped_study_loads(name):
    assert load_study(find_study(name)).tasks


def test_a_balancer_may_be_named_by_a_string():
    assert parse_study({**SMALL, "balancers": ["focal"]}, "x").balancers == (Balance("focal"),)


def test_overrides_are_toml_values_and_bare_words(study_file):
    study = load_study(study_file, ["optim.lr=1e-3", "seeds=[1, 2]", "format=chat"])
    assert (study.optim.lr, study.seeds, study.format) == (1e-3, (1, 2), "chat")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optim.lrr=1", "unknown key 'optim.lrr' in .*did you mean 'optim.lr'"),
        ("balancers=[{name='a', option=1}]", "unknown key 'balancers.0.option'"),
        ("data.sqll.train='x'", "unknown task 'sqll'.*did you mean 'sql'"),
        ("optim.lr=fast", "optim.lr: input should be a valid number"),
        ("modes=['mfx']", "modes.0: input should be 'single', 'mixed' or 'mft'"),
        ("seeds=[]", "seeds is empty"),
        ("seeds=[1, 1]", "seeds names something twice"),
        ("balancers=['focal', 'focal']", "balancers names something twice"),
        (
            "balancers=[{name='focal', options={gamma=1}}, {name='focal', options={gamma='1'}}]",
            r"balancers names something twice: .*focal\(gamma=1\)",
        ),
        ("balancers=3", "balancers: input should be a valid tuple"),
        ("balancers=focal", "balancers: input should be a valid tuple"),
        ("data.sql.evaluate=['a', 'a']", "data.sql.evaluate names something twice"),
        ("k=[10]", "k = 10 needs at least as many samples, sampling gives 1"),
        ("sampling.top_p=0", "sampling needs n of at least 1, batch and temperature of at least 0"),
        ("optim", "expected key.path=value"),
        ("name.inner=1", "'name' is a value, not a table"),
    ],
)
def test_a_wrong_override_is_named(study_file, override, message):
    with pytest.raises(UsageError, match=message):
        load_study(study_file, [override])


def test_a_toml_syntax_error_names_file_and_line(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text('name = "s"\nmodels = [\n=')
    with pytest.raises(UsageError, match=r"bad\.toml: not TOML: .*line 3"):
        load_study(path)


def test_a_study_file_that_is_no_text_is_a_usage_error(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot read it as UTF-8"):
        load_study(path)


def test_an_unknown_study_gets_a_suggestion():
    with pytest.raises(UsageError, match="unknown study 'laptob'; did you mean 'laptop'"):
        find_study("laptob")


def test_a_missing_study_file_is_named(tmp_path):
    with pytest.raises(UsageError, match="no study file at"):
        load_study(tmp_path / "none.toml")


def test_the_command_line_narrows_modes_and_tasks():
    study = select(parse_study(SMALL, "x"), modes="mft,mixed", tasks="sql")
    assert (study.modes, study.tasks) == (("mft", "mixed"), ("sql",))


def test_an_unknown_mode_gets_a_suggestion():
    with pytest.raises(UsageError, match="unknown mode 'mftt'; did you mean 'mft'"):
        select(parse_study(SMALL, "x"), modes="mftt")


def test_an_unseen_task_is_not_trained_on():
    study = select(parse_study(SMALL, "x"), unseen="sql")
    assert study.train_tasks == ("completion",)


def test_a_study_in_which_all_is_unseen_is_refused():
    with pytest.raises(UsageError, match="every task is unseen"):
        select(parse_study(SMALL, "x"), unseen="sql,completion")


def test_a_study_survives_being_written_as_toml(tmp_path):
    study = parse_study({**SMALL, "data": {"sql": {"options": {"starter": {"train": 5}}}}}, "x")
    path = tmp_path / "again.toml"
    path.write_text(study_toml(study))
    assert load_study(path) == study
