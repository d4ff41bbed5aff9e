"""Units of a study and their driving, with the launcher's fake running them in this process."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_run import STUDY, bench, run_in

from mftbench.contract import Limits, Program
from mftbench.errors import EngineError, SandboxError, StoreError, UsageError
from mftbench.inference.scripted import ScriptedEngine
from mftbench.launching.collecting import collect
from mftbench.launching.driving import Driver
from mftbench.launching.late_sandbox import LateSandbox
from mftbench.launching.launched import LAUNCHERS, How, run_launched
from mftbench.launching.launcher import Job, State, Status
from mftbench.launching.making import make
from mftbench.launching.report import Fault, Report, from_output, to_line
from mftbench.launching.scripted import Played, ScriptedLauncher
from mftbench.launching.units import Unit, chains, units
from mftbench.leaderboard.rows import serialise
from mftbench.pipeline.execute import EXECUTIONS
from mftbench.plan import plan
from mftbench.sandbox.backend import UnusableError
from mftbench.sandbox.pool import Job as SandboxJob
from mftbench.sandbox.pool import run_all
from mftbench.sandbox.scripted import Scripted
from mftbench.stages import Parallel
from mftbench.study import TaskSettings
from mftbench.training.scripted import train


def laid_out(folder, study=STUDY):
    with bench(folder, study=study) as opened:
        return plan(study, opened.context())


def job_of(unit: Unit) -> Job:
    return Job(unit.name, unit.keys)


def in_process(folder, **changes):
    """Play a job by making its keys at once, on a bench of its own as in a process of its own."""

    def play(job: Job) -> Played:
        with bench(folder, **changes) as opened:
            report = make(opened, job.command)
        return Played(1.0, Status(State.ENDED, report.exit_code, to_line(report)))

    return play


def launched(folder, script=None, study=STUDY, replicas=0, **changes):
    launcher = ScriptedLauncher(script or in_process(folder, study=study, **changes))
    with bench(folder, study=study) as opened:
        cells = plan(study, opened.context())
        driver = Driver(launcher, opened.store, job_of, opened.progress, launcher.tick)
        outcome = collect(opened, cells, driver.drive(units(cells, replicas)))
    return outcome, launcher


def collected(folder):
    with bench(folder) as opened:
        return collect(opened, plan(STUDY, opened.context()))


def test_every_key_of_a_plan_is_in_exactly_one_unit(tmp_path):
    cells = laid_out(tmp_path)
    keys = [key for unit in units(cells) for key in unit.keys]
    planned = {key for cell in cells for each in cell.evaluations for key in each.keys.values()}
    assert sorted(keys) == sorted(planned - {""})


def test_inputs_come_before_what_needs_them(tmp_path):
    seen = set()
    for unit in units(laid_out(tmp_path)):
        assert seen.issuperset(before for inputs in unit.inputs.values() for before in inputs)
        seen.update(unit.keys)


def test_one_trained_model_generates_in_one_unit(tmp_path):
    study = replace(STUDY, seeds=(1, 2), modes=("mixed",))
    generating = [unit for unit in units(laid_out(tmp_path, study)) if unit.stage == "generate"]
    assert [len(unit.keys) for unit in generating] == [2, 2, 2]  # base, and two seeds


def test_replicas_share_the_models_of_a_base(tmp_path):
    made = units(laid_out(tmp_path), replicas=2)
    generating = [unit for unit in made if unit.stage == "generate"]
    assert [unit.label for unit in generating] == ["generate nano 1", "generate nano 2"]
    assert sum(len(unit.keys) for unit in generating) == 8


@pytest.mark.parametrize(
    ("there", "asked", "given"), [(8, -1, 4), (8, 5, 5), (8, 0, 0), (0, -1, 0)]
)
def test_a_training_is_given_a_gpu_for_each_rank(there, asked, given, tmp_path, monkeypatch):
    launcher = ScriptedLauncher(lambda job: Played(0.0, Status(State.ENDED, 1, "")))
    monkeypatch.setitem(LAUNCHERS, "fake", lambda *_: (launcher, 1, there))
    study = replace(STUDY, parallel=Parallel(ranks=4))
    with bench(tmp_path, study=study) as opened:
        run_launched(opened, How("fake", gpus=asked))
    assert {job.needs.gpus for job in launcher.submitted if "train" in job.name} == {given}


@pytest.mark.parametrize(("there", "asked", "given"), [(2, -1, 2), (8, 1, 1)])
def test_ranks_that_lack_gpus_are_refused_before_anything_is_made(
    there, asked, given, tmp_path, monkeypatch
):
    launcher = ScriptedLauncher(lambda job: Played(0.0, Status(State.ENDED, 1, "")))
    monkeypatch.setitem(LAUNCHERS, "fake", lambda *_: (launcher, 1, there))
    study = replace(STUDY, parallel=Parallel(ranks=4))
    with bench(tmp_path, study=study) as opened, pytest.raises(UsageError) as caught:
        run_launched(opened, How("fake", gpus=asked))
    assert f"needs 4 GPUs and would be given {given}" in str(caught.value)
    assert launcher.submitted == []


def test_chains_need_nothing_of_each_other(tmp_path):
    made = units(laid_out(tmp_path))
    groups = chains(made)
    assert sorted(unit.name for group in groups for unit in group) == sorted(u.name for u in made)
    for group in groups:
        own = {key for unit in group for key in unit.keys}
        assert own.issuperset(
            b for unit in group for inputs in unit.inputs.values() for b in inputs
        )
    assert len(groups) == 5  # base, two single, mixed, mft


def test_a_launched_study_has_the_same_rows_as_one_in_process(tmp_path):
    outcome, _ = launched(tmp_path / "launched")
    assert serialise(outcome.rows) == serialise(run_in(tmp_path / "alone").rows)
    assert (outcome.made, outcome.exit_code) == (28, 0)


def test_replicas_do_not_change_the_rows(tmp_path):
    outcome, _ = launched(tmp_path / "launched", replicas=1)
    assert serialise(outcome.rows) == serialise(run_in(tmp_path / "alone").rows)


def test_a_finished_study_submits_nothing(tmp_path):
    run_in(tmp_path)
    outcome, launcher = launched(tmp_path)
    assert launcher.submitted == []
    assert (outcome.made, outcome.found) == (0, 28)


def test_making_a_unit_twice_changes_nothing(tmp_path):
    play = in_process(tmp_path)

    def twice(job: Job) -> Played:
        first = play(job)
        again = from_output(play(job).status.output)
        assert again == Report(0, len(job.command))
        return first

    outcome, _ = launched(tmp_path, twice)
    assert outcome.exit_code == 0


def test_a_unit_makes_nothing_else(tmp_path):
    cells = laid_out(tmp_path)
    (last, *_) = [unit for unit in units(cells) if unit.stage == "score"]
    with bench(tmp_path) as opened:
        report = make(opened, last.keys)
    assert report.made == 0
    assert "is not in the store; make it first" in report.faults[last.keys[0]].message


def test_a_key_of_another_plan_is_a_usage_error(tmp_path):
    with bench(tmp_path) as opened, pytest.raises(UsageError, match="'feed' is not in the plan"):
        make(opened, ["feed"])


def test_a_training_that_fails_leaves_the_other_cells_done(tmp_path):
    def fail(spec, *arguments):
        if len(spec.tasks) == 1:
            raise EngineError("out of memory")
        train(spec, *arguments)

    outcome, _ = launched(tmp_path, trainer=fail)
    failed = [(failure.cell, str(failure.error)) for failure in outcome.failures]
    assert failed == [
        ("nano single completion seed 1", "out of memory"),
        ("nano single text_to_code seed 1", "out of memory"),
    ]
    assert {row.mode for row in outcome.rows} == {"base", "mixed", "mft"}


def test_items_that_no_sandbox_could_run_are_missing_as_in_process(tmp_path):
    def broken(program: Program):
        return SandboxError("no node here")

    outcome, _ = launched(tmp_path / "launched", sandbox=Scripted(broken))
    alone = run_in(tmp_path / "alone", sandbox=Scripted(broken))
    assert [row.missing for row in outcome.rows] == [4] * 8
    assert serialise(outcome.rows) == serialise(alone.rows)
    assert outcome.exit_code == alone.exit_code == 1


def test_collecting_later_counts_the_same_items_missing_as_the_run_itself(tmp_path):
    def broken(program: Program):
        return SandboxError("no node here")

    rows = launched(tmp_path, sandbox=Scripted(broken))[0].rows
    later = collected(tmp_path)
    assert [row.missing for row in later.rows] == [4] * 8
    assert serialise(later.rows) == serialise(rows)
    assert {str(failure.error)[-26:] for failure in later.failures} == {
        "not finished; run it again"
    }
    assert later.exit_code == 1


def test_a_torn_execution_is_missing_where_it_is_collected(tmp_path):
    launched(tmp_path, sandbox=Scripted(lambda program: SandboxError("no node here")))
    for log in tmp_path.glob(f"work/execute/*/{EXECUTIONS}"):
        log.write_text('{"problem":')
    assert [row.missing for row in collected(tmp_path).rows] == [4] * 8


def test_collecting_a_finished_study_finds_its_scores(tmp_path):
    run_in(tmp_path)
    outcome = collected(tmp_path)
    assert (len(outcome.rows), outcome.made, outcome.found) == (8, 0, 8)


def test_items_of_a_node_without_the_sandbox_are_missing(tmp_path):
    absent = LateSandbox(Scripted.name, {})  # no sandbox is opened by this name
    outcome, _ = launched(tmp_path, sandbox=absent)
    assert [row.missing for row in outcome.rows] == [4] * 8
    assert "4 items missing: unknown sandbox 'scripted'" in str(outcome.failures[0].error)
    assert outcome.exit_code == 1


def test_a_sandbox_that_a_node_has_not_is_not_tried_again():
    ((_, error),) = run_all(
        LateSandbox("nowhere", {}), [SandboxJob("a", Program("python", ()))], Limits(), 1
    )
    assert isinstance(error, UnusableError)


def test_a_unit_that_is_a_usage_error_leaves_the_other_cells_done(tmp_path):
    play = in_process(tmp_path)

    def misuse(job: Job) -> Played:
        if not job.name.startswith("execute-") or len(job.command) > 1:
            return play(job)
        report = Report(faults={job.command[0]: Fault("UsageError", "no such file here")})
        return Played(1.0, Status(State.ENDED, 2, to_line(report)))

    outcome, _ = launched(tmp_path, misuse)
    assert {failure.cell for failure in outcome.failures} == {
        f"nano single {task} seed 1, {task}" for task in STUDY.tasks
    }
    assert {row.mode for row in outcome.rows} == {"base", "mixed", "mft"}
    assert outcome.exit_code == 2


def test_a_lost_job_is_run_again(tmp_path):
    play, lost = in_process(tmp_path), set()

    def lose_once(job: Job) -> Played:
        if job.name in lost:
            return play(job)
        lost.add(job.name)
        return Played(1.0, Status(State.LOST, -9))

    outcome, launcher = launched(tmp_path, lose_once)
    assert outcome.exit_code == 0
    assert len(launcher.submitted) == 2 * len(lost)


def test_a_job_that_is_always_lost_fails_alone(tmp_path):
    play = in_process(tmp_path)

    def lose_training(job: Job) -> Played:
        if job.name.startswith("train-"):
            return Played(1.0, Status(State.LOST, -9), log="killed by somebody")
        return play(job)

    outcome, launcher = launched(tmp_path, lose_training)
    assert {row.mode for row in outcome.rows} == {"base"}
    assert len(launcher.submitted) == 4 * 3 + 3
    assert "was lost: killed by somebody" in str(outcome.failures[0].error)


def test_why_a_launcher_lost_a_job_is_told(tmp_path):
    lost = Status(State.LOST, reason="FileNotFoundError: '/nowhere/python'")
    outcome, _ = launched(tmp_path, lambda job: Played(1.0, lost))
    message = str(outcome.failures[0].error)
    assert message.endswith("was lost: FileNotFoundError: '/nowhere/python'")


def test_a_command_that_dies_without_a_report_is_told_by_its_last_line(tmp_path):
    script = lambda _: Played(1.0, Status(State.ENDED, 1), log="Traceback\nMemoryError: 8 GiB")  # noqa: E731
    outcome, _ = launched(tmp_path, script)
    assert "ended with exit code 1: MemoryError: 8 GiB" in str(outcome.failures[0].error)


def test_what_a_unit_stored_before_it_died_is_made(tmp_path):
    play = in_process(tmp_path)

    def die_after_one(job: Job) -> Played:
        if job.name.startswith("generate-") and len(job.command) > 1:
            play(replace(job, command=job.command[:1]))
            return Played(1.0, Status(State.ENDED, 1), log="MemoryError")
        return play(job)

    outcome, _ = launched(tmp_path, die_after_one)
    stored = len(list(tmp_path.glob("generate/*")))
    assert stored == 5  # of base, mixed and mft one each, and of both single ones
    assert len(outcome.rows) == stored
    assert (outcome.made, len(outcome.failures)) == (4 + 3 * stored, 3)


def test_a_full_disk_ends_everything(tmp_path):
    report = Report(faults={"k": Fault("StoreError", "No space left")})
    script = lambda _: Played(1.0, Status(State.ENDED, 2, to_line(report)))  # noqa: E731
    with pytest.raises(StoreError, match="No space left"):
        launched(tmp_path, script)


def test_units_of_different_cells_overlap(tmp_path):
    _, launcher = launched(tmp_path)
    assert launcher.now < len(launcher.submitted)  # each takes a second


def test_greedy_seeds_of_the_base_are_made_once(tmp_path):
    study = replace(STUDY, sampling=replace(STUDY.sampling, n=2, temperature=1.0), seeds=(1, 2))
    data = {"completion": TaskSettings(options={"starter": {"train": 4, "problems": 2}})}
    study = replace(study, tasks=("completion",), data=data, modes=("single", "mixed"))
    engine = ScriptedEngine(lambda request: f"def solve(x):\n    return {request.seed}\n")
    outcome, _ = launched(tmp_path / "launched", study=study, engine=engine)
    alone = run_in(tmp_path / "alone", study=study, engine=engine)
    assert serialise(outcome.rows) == serialise(alone.rows)


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        ((), 0),
        (("EngineError", "Unfinished"), 1),
        (("PluginError",), 1),
        (("UsageError",), 1),
        (("PluginError", "StoreError"), 2),
    ],
)
def test_only_a_store_that_refuses_gives_a_unit_exit_code_2(kinds, code):
    faults = {str(number): Fault(kind, "") for number, kind in enumerate(kinds)}
    assert Report(made=5, faults=faults).exit_code == code


@pytest.mark.parametrize("output", ["", "Traceback", "3", '{"made": "many"}', "[]"])
def test_output_without_a_report_is_none(output):
    assert from_output(output) is None


def test_a_report_survives_what_is_printed_before_it():
    report = Report(1, 2, {"k": Fault("Unfinished", "3 items missing")})
    assert from_output(f"noise\n{to_line(report)}\n") == report
