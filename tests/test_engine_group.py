"""All models of a base generate in one pass; what one answer cost is never paid twice."""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import replace

import pytest
from test_remote_store import node
from test_run import STUDY, bench, run_in

from mftbench.contract import Prompt
from mftbench.errors import EngineError, PluginError, StoreError
from mftbench.inference.engine import Completion
from mftbench.inference.jobs import generate_all
from mftbench.inference.scripted import ScriptedEngine
from mftbench.leaderboard.rows import serialise
from mftbench.pipeline.generate import requests
from mftbench.plan import plan
from mftbench.remote.scripted import in_memory
from mftbench.run import run
from mftbench.study import TaskSettings

SAMPLED = replace(STUDY, sampling=replace(STUDY.sampling, n=2, temperature=1.0))
ONE = replace(STUDY, tasks=("completion",), modes=("mixed",))


class Counting(ScriptedEngine):
    """Answer by the request's name, and keep what was asked; fail on models and items by choice."""

    def __init__(self, broken_model=lambda model: False, die_after=10**9):
        super().__init__(lambda request: f"    return {request.seed % 97}")
        self.made, self.passes = [], 0
        self._broken_model, self._die_after = broken_model, die_after

    def generate(self, model, requests, sampling, done=frozenset()):
        if self._broken_model(model):
            raise EngineError("the adapter does not fit")
        prompts = {request.problem: request.prompt for request in requests}
        for completion in super().generate(model, requests, sampling, done):
            if len(self.made) == self._die_after:
                raise KeyboardInterrupt
            name = None if model.trained is None else model.trained.parent.name
            self.made.append((name, prompts[completion.problem], completion.sample))
            yield completion

    def generate_all(self, jobs):
        self.passes += 1
        yield from generate_all(Plain(self), jobs)


class Plain:
    """The same engine as one that serves a model at a time."""

    def __init__(self, engine):
        self.generate = engine.generate


def made(folder, **changes):
    engine = Counting()
    run_in(folder, engine=engine, **changes)
    return engine.made


def test_one_pass_serves_every_model_of_a_base(tmp_path):
    engine = Counting()
    run_in(tmp_path, engine=engine)
    assert engine.passes == 1
    assert len({model for model, _, _ in engine.made}) == 5


def test_a_model_that_cannot_be_served_leaves_the_others_done(tmp_path):
    engine = Counting(broken_model=lambda model: model.trained is None)
    outcome = run_in(tmp_path, engine=engine)
    assert {failure.cell.split()[1] for failure in outcome.failures} == {"base"}
    assert {row.mode for row in outcome.rows} == {"single", "mixed", "mft"}


def test_more_samples_make_only_the_new_ones(tmp_path):
    few = made(tmp_path, study=SAMPLED)
    more = made(tmp_path, study=replace(SAMPLED, sampling=replace(SAMPLED.sampling, n=5)))
    assert {sample for _, _, sample in few} == {0, 1}
    assert {sample for _, _, sample in more} == {2, 3, 4}


def test_more_problems_make_only_the_new_ones(tmp_path):
    made(tmp_path, study=ONE)
    more = {"completion": TaskSettings(options={"starter": {"train": 6, "problems": 6}})}
    again = made(tmp_path, study=replace(ONE, data=more))
    assert len([model for model, _, _ in again if model is None]) == 6 - 4  # the base's


def test_an_interrupted_pass_goes_on_and_makes_nothing_twice(tmp_path):
    first = Counting(die_after=7)
    with pytest.raises(KeyboardInterrupt):
        run_in(tmp_path, engine=first)
    second = made(tmp_path)
    assert not set(first.made) & set(second)
    fresh = run_in(tmp_path / "fresh", engine=Counting())
    assert serialise(run_in(tmp_path).rows) == serialise(fresh.rows)


def test_a_torn_line_is_made_again(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_in(tmp_path, engine=Counting(die_after=3), study=ONE)
    log = max(tmp_path.glob("items/*.jsonl"), key=lambda path: path.stat().st_size)
    log.write_bytes(log.read_bytes()[:-20])
    assert len(made(tmp_path, study=ONE)) == 8 - 3 + 1


def test_a_damaged_log_of_items_is_named(tmp_path):
    made(tmp_path, study=SAMPLED)
    for log in tmp_path.glob("items/*.jsonl"):
        log.write_text("no json\n")
    with pytest.raises(StoreError, match=r"items/.*jsonl:1: not a JSON line"):
        made(tmp_path, study=replace(SAMPLED, k=(2,), sampling=replace(SAMPLED.sampling, n=3)))


def test_two_nodes_that_run_one_study_generate_once(tmp_path):
    place, outcomes = in_memory(), []

    def run_on(name, engine):
        with bench(tmp_path / name, study=ONE, engine=engine) as opened:
            opened.store = node(place, tmp_path / name)
            outcomes.append(run(opened))

    class Joined(Counting):
        """While it generates, the other node begins; it is ready before we are done."""

        def generate_all(self, jobs):
            other.start()
            other.join(1)
            yield from super().generate_all(jobs)

    first, second = Joined(), Counting()
    other = threading.Thread(target=run_on, args=("b", second))
    run_on("a", first)
    other.join()
    assert (len(first.made), len(second.made)) == (8, 0)
    assert serialise(outcomes[0].rows) == serialise(outcomes[1].rows)


def test_a_disk_that_fills_while_completions_are_kept_ends_the_run(tmp_path):
    class Filling(ScriptedEngine):
        def generate_all(self, jobs):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StoreError, match=r"cannot write to the store .*No space left"):
        run_in(tmp_path, engine=Filling())


def test_an_engine_of_another_version_makes_its_own_items(tmp_path):
    engine = Counting()
    engine.version = "2"
    made(tmp_path, study=ONE)
    for artifact in ("score", "execute", "generate"):
        (tmp_path / artifact).rename(tmp_path / f"old-{artifact}")
    with bench(tmp_path, study=ONE, engine=engine) as opened:
        run(opened)
    assert len(engine.made) == 8


def test_a_prompt_too_long_for_the_model_is_a_verdict_of_its_own(tmp_path):
    class Short(ScriptedEngine):
        def generate(self, model, requests, sampling, done=frozenset()):
            for request in requests:
                yield Completion(request.problem, request.sample, "", 0, "too_long")

    outcome = run_in(tmp_path, engine=Short(), study=ONE)
    assert all(row.outcomes == {"no_code": 4} for row in outcome.rows)
    assert outcome.exit_code == 0


def test_an_empty_prompt_is_the_tasks_fault(tmp_path):
    with bench(tmp_path, study=ONE) as opened:
        spec = plan(ONE, opened.context())[0].evaluations[0].generate
        (problem, *_) = opened.problems(spec.task, spec.source).values()
    with pytest.raises(PluginError, match=f"the prompt of {problem.id} is empty"):
        requests(spec, [replace(problem, prompt="")], Prompt(), lambda prompt: prompt)


@pytest.mark.parametrize(("format", "expected"), [("plain", ("\n#",)), ("chat", ())])
def test_requests_stop_a_continued_text_and_no_chat_s_answer(tmp_path, format, expected):
    with bench(tmp_path, study=replace(ONE, format=format)) as opened:
        spec = plan(replace(ONE, format=format), opened.context())[0].evaluations[0].generate
        problems = list(opened.problems(spec.task, spec.source).values())
    made = requests(spec, problems, Prompt(stop=("\n#",)), lambda prompt: prompt)
    assert {request.stop for request in made} == {expected}
