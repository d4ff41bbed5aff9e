"""A whole study with fakes in place of model, engine and sandbox: no torch, no processes."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from mftbench.bench import Bench, Options, Seams
from mftbench.contract import Problem, Program, Prompt
from mftbench.errors import EngineError, PluginError, SandboxError, UsageError
from mftbench.inference.engine import Completion
from mftbench.inference.scripted import ScriptedEngine
from mftbench.leaderboard.rows import serialise
from mftbench.models.location import locate
from mftbench.pipeline.execute import EXECUTIONS
from mftbench.pipeline.generate import read_completions
from mftbench.plan import plan
from mftbench.progress import Silent
from mftbench.run import CellStages, Outcome, generate_group, run
from mftbench.sandbox.scripted import Scripted, passing
from mftbench.stages import Balance
from mftbench.store_at import StoreAt
from mftbench.study import Study, TaskSettings, select
from mftbench.training.scripted import train

SMALL = {"starter": {"train": 6, "problems": 4}}
STUDY = Study(
    name="fake",
    models=("nano",),
    tasks=("completion", "text_to_code"),
    data={name: TaskSettings(options=SMALL) for name in ("completion", "text_to_code")},
)


def bench(folder, study=STUDY, trainer=train, engine=None, sandbox=None) -> Bench:
    engine = engine or ScriptedEngine(lambda request: "def solve(x):\n    return 1\n")
    seams = Seams(trainer, engine, sandbox or Scripted())
    return Bench(study, Options(StoreAt(folder), workers=2), Silent(), seams)


def run_in(folder, **changes) -> Outcome:
    with bench(folder, **changes) as opened:
        return run(opened)


def test_a_study_gives_a_row_per_cell_and_task(tmp_path):
    rows = run_in(tmp_path).rows
    modes = sorted((row.mode, row.task) for row in rows)
    tasks = STUDY.tasks
    expected = [(mode, task) for mode in ("base", "mft", "mixed", "single") for task in tasks]
    assert modes == expected


@pytest.mark.parametrize(
    ("balance", "message"),
    [
        (Balance("famo", {"lrr": 1}), "unknown option 'lrr'"),
        (Balance("pcgrad", scope="micro"), "give it the scope 'global'"),
    ],
)
def test_a_balancer_that_cannot_be_made_is_told_before_anything_is(balance, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        run_in(tmp_path, study=replace(STUDY, balancers=(balance,)))
    assert not list(tmp_path.glob("train/*"))


def test_running_again_makes_nothing_and_gives_the_same_bytes(tmp_path):
    first, second = run_in(tmp_path), run_in(tmp_path)
    assert (first.made, first.found) == (28, 0)
    assert (second.made, second.found) == (0, 8)
    assert serialise(first.rows) == serialise(second.rows)


def test_no_engine_holds_memory_while_the_next_base_trains(tmp_path):
    second = str(shutil.copytree(locate("nano").path, tmp_path / "second"))
    study = replace(STUDY, models=("nano", second), engine="scripted", baseline=False)
    held = {}

    def trainer(spec, *given):
        held.setdefault(spec.model, "engine" in opened.__dict__)
        train(spec, *given)

    seams = Seams(trainer=trainer, sandbox=Scripted())
    opened = Bench(study, Options(StoreAt(tmp_path / "store"), workers=2), Silent(), seams)
    with opened:
        assert run(opened).exit_code == 0
    assert held[second] is False


def test_a_changed_judge_version_makes_only_scores(tmp_path):
    run_in(tmp_path)
    with bench(tmp_path) as opened:
        opened.tasks = {
            name: replace(task, judge_version=99) for name, task in opened.tasks.items()
        }
        assert run(opened).made == 8  # 4 modes of 2 tasks


def test_a_changed_program_version_makes_executions_and_scores(tmp_path):
    run_in(tmp_path)
    with bench(tmp_path) as opened:
        opened.tasks = {
            name: replace(task, program_version=99) for name, task in opened.tasks.items()
        }
        assert run(opened).made == 16


def test_a_trainer_that_fails_leaves_the_other_cells_done(tmp_path):
    def fail(spec, *arguments):
        if len(spec.tasks) == 1:
            raise EngineError("out of memory")
        train(spec, *arguments)

    outcome = run_in(tmp_path, trainer=fail)
    assert {failure.cell for failure in outcome.failures} == {
        "nano single completion seed 1",
        "nano single text_to_code seed 1",
    }
    assert {row.mode for row in outcome.rows} == {"base", "mixed", "mft"}
    assert outcome.exit_code == 1


def test_a_sandbox_that_fails_on_an_item_makes_it_missing_and_the_next_run_mends_it(tmp_path):
    def broken(program: Program):
        return SandboxError("no node here")

    broken_run = run_in(tmp_path, sandbox=Scripted(broken))
    assert all(row.missing == 4 for row in broken_run.rows)
    assert broken_run.exit_code == 1
    mended = run_in(tmp_path)
    assert all(row.missing == 0 for row in mended.rows)
    assert mended.exit_code == 0


def test_an_item_that_the_judge_cannot_lay_to_the_answer_is_missing_until_it_is_run_again(tmp_path):
    def blind(problem, execution):
        raise SandboxError("gold query: timeout")

    with bench(tmp_path) as opened:
        opened.tasks = {name: replace(task, judge=blind) for name, task in opened.tasks.items()}
        failed = run(opened)
    assert [row.missing for row in failed.rows] == [4] * 8
    assert "gold query: timeout" in str(failed.failures[0].error)
    assert all(row.missing == 0 for row in run_in(tmp_path).rows)


def test_an_interrupted_execution_goes_on_with_what_is_missing(tmp_path):
    calls = []

    def die(program: Program):
        calls.append(program)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return passing(program)

    with pytest.raises(KeyboardInterrupt):
        run_in(tmp_path, sandbox=Scripted(die))
    (log,) = tmp_path.glob(f"work/execute/*/{EXECUTIONS}")
    kept = len(log.read_text().splitlines())
    sandbox = Scripted()
    run_in(tmp_path, sandbox=sandbox, study=replace(STUDY, modes=("mixed",)))
    assert kept + len(sandbox.programs) >= 4
    assert serialise(run_in(tmp_path).rows) == serialise(run_in(tmp_path / "fresh").rows)


def test_a_plugin_that_raises_is_named_and_ends_with_exit_code_2(tmp_path):
    def explode(problem, completion):
        raise ValueError("boom")

    with bench(tmp_path) as opened:
        opened.tasks = {
            **opened.tasks,
            "completion": replace(opened.tasks["completion"], program=explode),
        }
        outcome = run(opened)
    messages = {str(failure.error) for failure in outcome.failures}
    assert any("task completion: program() raised ValueError on" in text for text in messages)
    assert outcome.exit_code == PluginError.exit_code == 2
    assert any(row.task == "text_to_code" for row in outcome.rows)


def test_equal_programs_are_executed_once(tmp_path):
    study = replace(STUDY, tasks=("completion",), modes=("mixed",), data={})
    data = {"completion": TaskSettings(options={"starter": {"problems": 1, "train": 2}})}
    sampling = replace(study.sampling, n=5, temperature=1.0)
    sandbox = Scripted()
    run_in(tmp_path, study=replace(study, data=data, sampling=sampling), sandbox=sandbox)
    assert len(sandbox.programs) == 2  # the base and the mixed model, five equal samples each


class Asked(ScriptedEngine):
    """Remembers which model was asked which problems, and answers with the model's part."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def generate(self, model, requests, sampling, done=frozenset()):
        self.asked.append((model, requests[0].problem))
        for request in requests:
            yield Completion(request.problem, request.sample, f"part {model.part}", 2, "stop")


def train_parts(spec, rows, prompts, out, *rest):
    """A training with a part for each task that it was given."""
    train(spec, rows, prompts, out, *rest)
    for data in spec.tasks:
        (out / "model" / "tasks" / data.task).mkdir(parents=True)


def test_each_task_is_answered_by_its_own_part_of_a_trained_model(tmp_path):
    engine, study = Asked(), replace(STUDY, modes=("mixed",), unseen=("text_to_code",))
    assert not run_in(tmp_path, study=study, trainer=train_parts, engine=engine).failures
    trained = {model.part: model.trained for model, _ in engine.asked if model.trained}
    assert trained["completion"] == trained[""] / "tasks" / "completion"
    assert set(trained) == {"completion", ""}  # the other task was not trained on


def test_parts_of_one_training_share_no_completions(tmp_path):
    study = replace(STUDY, modes=("mixed",), baseline=False)
    prompt = Prompt("{prompt}", max_new_tokens=8)
    problem = Problem("p/1", "the same", "gold")
    made = {}
    with bench(tmp_path, study=study, trainer=train_parts, engine=Asked()) as opened:
        opened.problems = lambda task, ref: {problem.id: problem}
        opened.asked = lambda task, ref: replace(opened.tasks[task], prompt=prompt)
        (cell,) = plan(study, opened.context())
        stages = CellStages(opened, cell, Outcome())
        generate_group([stages])
        for each in cell.evaluations:
            (completion,) = read_completions(stages.generate(each).path)
            made[each.task] = completion.text
    assert made == {name: f"part {name}" for name in STUDY.tasks}


def test_an_unseen_task_is_scored_in_every_joint_mode_and_learnt_in_none(tmp_path):
    learnt = []

    def record(spec, *arguments):
        learnt.extend(task.task for task in spec.tasks)
        train(spec, *arguments)

    study = select(STUDY, unseen="text_to_code")
    rows = run_in(tmp_path, study=study, trainer=record).rows
    assert set(learnt) == {"completion"}
    assert {row.mode for row in rows if row.task == "text_to_code"} >= {"base", "mixed", "mft"}


def test_an_outcome_without_a_row_says_nothing_of_a_board_and_is_no_success():
    assert (Outcome().fruitless, Outcome().exit_code) == (True, 1)
