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
        ("k=[0]", "k = 0; pass@k begins at 1"),
        ("seeds=[-1]", "seed -1 is not from 0 to"),
        ("balancers=[]", "balancers is empty"),
        ("data.sql.evaluate=[]", "data.sql.evaluate is empty"),
        ("data.sql.options.starer.train=20", "unknown source 'starer'.*did you mean 'starter'"),
        ("data.sql.weight=-1", "data.sql.weight is -1.0; it must be at least 0"),
        ("data.sql.weight=inf", "data.sql.weight is inf; a finite number"),
        ("limits.wall_s=0", "limits.wall_s is 0.0; it must be above 0"),
        ("optim.lr=nan", "optim.lr is nan; a finite number"),
        ("optim.lr=-1", "optim.lr is -1.0; it must be at least 0"),
        ("optim.epochs=0", "optim.epochs is 0.0; it must be above 0"),
        ("optim.pack_length=-1", "optim.pack_length is -1; it must be at least 0"),
        ("optim.schedule=cosinus", "unknown schedule 'cosinus'.*did you mean 'cosine'"),
        ("optim.schedule=warmup_stable_decay", "unknown schedule 'warmup_stable_decay'"),
        ("optim.warmup=300", "optim.warmup is 300.0; it must be a share of all steps, below 1"),
        ("optim.keep=best", "optim.stop and optim.keep look at validations; set optim.eval_every"),
        ("parallel.ranks=2", "optim.accumulation is 1; parallel.ranks = 2 must divide it"),
        ("optim", "expected key.path=value"),
        ("name.inner=1", "'name' is a value, not a table"),
    ],
)
def test_a_wrong_override_is_named(study_file, override, message):
    with pytest.raises(UsageError, match=message):
        load_study(study_file, [override])


def test_steps_may_stand_for_epochs(study_file):
    assert load_study(study_file, ["optim.epochs=0", "optim.steps=3"]).optim.steps == 3


def test_a_byte_order_mark_does_not_matter(study_file):
    study_file.write_bytes(b"\xef\xbb\xbf" + study_file.read_bytes())
    assert load_study(study_file).name == "s"


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
