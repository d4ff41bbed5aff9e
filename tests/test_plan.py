"""Plans: cells and keys follow from the study alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mftbench.contract import Outcome as Verdicts
from mftbench.contract import Source, Task, Verdict
from mftbench.plan import Context, plan
from mftbench.stages import Balance, Optim
from mftbench.store import key
from mftbench.study import Study, TaskSettings


def source(**_: object) -> Source:
    return Source("s", "CC0", "", lambda: [], lambda: [], lambda: "f")


def task(name: str, **changes: int) -> Task:
    return Task(
        name=name,
        summary="",
        sources={"starter": source},
        program=lambda problem, text: Verdict(Verdicts.NO_CODE),
        judge=lambda problem, execution: Verdict(Verdicts.PASSED),
        **{"version": 1, **changes},
    )


STUDY = Study(name="s", models=("m",), tasks=("a", "b", "c"), seeds=(1, 2))


def context(**changes: Task) -> Context:
    return Context(
        tasks={name: changes.get(name, task(name)) for name in STUDY.tasks},
        model_fingerprint=lambda name: f"{name}-digest",
        source_fingerprint=lambda *_: "rows",
        sandbox="scripted",
        runners="r1",
        engine="scripted",
    )


def stage_keys(study: Study, stage: str, **changes: Task) -> set[str]:
    return {
        evaluation.keys[stage]
        for cell in plan(study, context(**changes))
        for evaluation in cell.evaluations
    }


def test_a_study_has_a_base_and_per_seed_a_single_per_task_a_mixed_and_an_mft_cell():
    modes = [cell.mode for cell in plan(STUDY, context())]
    assert modes == ["base", *(["single"] * 3 + ["mixed", "mft"]) * 2]


def test_a_single_cell_is_evaluated_on_its_own_task_and_others_on_all():
    cells = plan(STUDY, context())
    assert {len(cell.evaluations) for cell in cells if cell.mode == "single"} == {1}
    assert {len(cell.evaluations) for cell in cells if cell.mode != "single"} == {3}


def test_every_balancer_is_an_mft_cell_of_its_own():
    study = replace(STUDY, modes=("mft",), balancers=(Balance("x"), Balance("y")), seeds=(1,))
    assert [cell.balancer for cell in plan(study, context())] == ["", "x", "y"]


def test_modes_differ_in_data_and_balancer_only():
    cells = plan(replace(STUDY, seeds=(1,)), context())
    mixed, mft = (next(cell.train for cell in cells if cell.mode == m) for m in ("mixed", "mft"))
    assert replace(mixed, balance=mft.balance) == mft


def test_a_tasks_weight_is_of_trainings_whose_balancer_can_read_it():
    study = replace(STUDY, seeds=(1,), data={"a": TaskSettings(weight=3.0)})
    weights = {
        cell.mode: {data.weight for data in cell.train.tasks}
        for cell in plan(study, context())
        if cell.train
    }
    assert weights == {"single": {1.0}, "mixed": {1.0}, "mft": {1.0, 3.0}}


def test_the_code_of_an_installed_balancer_is_in_its_keys_alone():
    def keys(code):
        balancer_code = {"token_mean": None, "task_token": code}.get
        cells = plan(STUDY, replace(context(), balancer_code=balancer_code))
        return {key("train", cell.train): cell.mode for cell in cells if cell.train}

    changed = {mode for name, mode in keys("one").items() if name not in keys("two")}
    assert changed == {"mft"}
    assert keys(None) == {
        key("train", cell.train): cell.mode for cell in plan(STUDY, context()) if cell.train
    }


def test_with_one_task_single_and_mixed_share_their_training():
    study = replace(STUDY, tasks=("a",), seeds=(1,), baseline=False, modes=("single", "mixed"))
    assert len(stage_keys(study, "train")) == 1


@pytest.mark.parametrize(
    ("change", "renewed"),
    [
        ({"optim": Optim(lr=1e-9)}, {"train", "generate", "execute", "score"}),
        ({"engine_dtype": "bfloat16"}, {"generate", "execute", "score"}),
        ({"k": (1, 10)}, {"score"}),
        ({"notes": "prose"}, set()),
    ],
)
def test_a_change_renews_its_stage_and_everything_after_it(change, renewed):
    trained = replace(STUDY, baseline=False)
    changed = replace(trained, **change)
    stages = ("train", "generate", "execute", "score")
    new = {s for s in stages if not stage_keys(trained, s) & stage_keys(changed, s)}
    assert new == renewed


def test_a_new_judge_renews_only_the_score():
    study = replace(STUDY, tasks=("a",))
    new_judge = task("a", judge_version=2)
    assert stage_keys(study, "execute") == stage_keys(study, "execute", a=new_judge)
    assert not stage_keys(study, "score") & stage_keys(study, "score", a=new_judge)


def test_a_new_program_renews_executions_and_scores_but_no_model():
    study = replace(STUDY, tasks=("a",))
    new_program = task("a", program_version=2)
    assert stage_keys(study, "train") == stage_keys(study, "train", a=new_program)
    assert stage_keys(study, "generate") == stage_keys(study, "generate", a=new_program)
    assert not stage_keys(study, "execute") & stage_keys(study, "execute", a=new_program)
    assert not stage_keys(study, "score") & stage_keys(study, "score", a=new_program)


def test_plain_generations_kept_their_keys_when_stops_were_left_out_of_other_formats():
    versions = {
        format: {
            each.generate.version
            for cell in plan(replace(STUDY, format=format), context())
            for each in cell.evaluations
        }
        for format in ("plain", "chat", "mftcoder")
    }
    assert versions == {"plain": {2}, "chat": {3}, "mftcoder": {3}}


def test_greedy_generations_of_the_base_do_not_depend_on_the_seed():
    cells = plan(STUDY, context())
    assert sum(cell.mode == "base" for cell in cells) == 1


def test_an_unseen_task_is_evaluated_and_not_trained_on():
    study = replace(STUDY, unseen=("c",), modes=("single", "mixed"), seeds=(1,))
    cells = plan(study, context())
    assert [cell.train_tasks for cell in cells] == [(), ("a",), ("b",), ("a", "b")]
    assert [evaluation.task for evaluation in cells[-1].evaluations] == ["a", "b", "c"]


def test_two_settings_of_one_balancer_have_two_names():
    balancers = (Balance("x", {"t": 1}), Balance("x", {"t": 2}), Balance("x", scope="micro"))
    study = replace(STUDY, modes=("mft",), balancers=balancers, seeds=(1,), baseline=False)
    names = [cell.balancer for cell in plan(study, context())]
    assert names == ["x(t=1)", "x(t=2)", "x (micro-batch)"]
