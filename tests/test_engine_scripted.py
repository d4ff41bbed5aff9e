from dataclasses import replace

import pytest

from mftbench.errors import PluginError
from mftbench.inference.engine import Request
from mftbench.inference.scripted import ScriptedEngine
from mftbench.stages import ModelRef, Sampling
from mftbench.testing.engine import check_engine

MODEL = ModelRef("none")


def answer(engine, problem="p", stop=()):
    (completion,) = engine.generate(MODEL, [Request(problem, 0, "", stop, 8, 0)], Sampling())
    return completion


def test_scripted_engine_keeps_the_promises_of_an_engine():
    check_engine(ScriptedEngine(lambda request: f"{request.prompt} {request.seed}"), MODEL)


def test_scripted_engine_answers_from_a_table():
    assert answer(ScriptedEngine({"p": "return 1"})).text == "return 1"


def test_a_problem_outside_the_script_gets_the_empty_completion():
    assert answer(ScriptedEngine()).text == ""


def test_stop_sequences_cut_a_scripted_answer():
    completion = answer(ScriptedEngine({"p": "return 1\n\nx"}), stop=("\n\n",))
    assert (completion.text, completion.finish) == ("return 1", "stop")


def test_the_check_finds_an_engine_that_ignores_the_seed():
    with pytest.raises(PluginError, match="same sample from different seeds"):
        check_engine(ScriptedEngine(lambda request: request.prompt), MODEL)


def test_the_check_finds_an_engine_that_answers_by_order():
    counter = iter(range(10**6))
    with pytest.raises(PluginError, match="differently the second time"):
        check_engine(ScriptedEngine(lambda request: str(next(counter))), MODEL)


class Deaf(ScriptedEngine):
    def generate(self, model, requests, sampling, done=frozenset()):
        return super().generate(model, requests, sampling)


def test_the_check_finds_an_engine_that_ignores_what_is_done():
    script = Deaf(lambda request: f"{request.prompt} {request.seed}")
    with pytest.raises(PluginError, match="exactly the missing completions"):
        check_engine(script, MODEL)


class Spoiling(ScriptedEngine):
    """Drops the whole text where a stop sequence is in it."""

    def generate(self, model, requests, sampling, done=frozenset()):
        for each in super().generate(model, requests, sampling, done):
            yield replace(each, text="") if each.finish == "stop" else each


def test_the_check_finds_an_engine_that_loses_what_was_before_the_stop_sequence():
    script = Spoiling(lambda request: f"{request.prompt} {request.seed}")
    with pytest.raises(PluginError, match=r"made '' of '.+' by the stop sequence"):
        check_engine(script, MODEL)


class Late(ScriptedEngine):
    """Counts a text's tokens before it is cut, as one that does not stop would."""

    def generate(self, model, requests, sampling, done=frozenset()):
        whole = super().generate(model, [replace(r, stop=()) for r in requests], sampling, done)
        found = super().generate(model, requests, sampling, done)
        for each, uncut in zip(found, whole, strict=True):
            yield replace(each, tokens=uncut.tokens)


def test_the_check_finds_an_engine_that_generates_on_after_the_stop_sequence():
    script = Late(lambda request: f"{request.prompt} {request.seed}")
    with pytest.raises(PluginError, match="went on generating"):
        check_engine(script, MODEL)


class Uncounted(ScriptedEngine):
    def generate(self, model, requests, sampling, done=frozenset()):
        for each in super().generate(model, requests, sampling, done):
            yield replace(each, tokens=0)


def test_an_engine_whose_server_counts_no_tokens_keeps_its_promises():
    check_engine(Uncounted(lambda request: f"{request.prompt} {request.seed}"), MODEL)
