from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from completions_server import CompletionsServer

from mftbench.errors import EngineError, UsageError
from mftbench.inference.engine import Request
from mftbench.inference.registry import open_engine
from mftbench.stages import ModelRef, Sampling
from mftbench.testing.engine import check_engine

pytest.importorskip("openai")

BASE = ModelRef("nano")
SAMPLING = Sampling(temperature=0.5)


def requests(count=4):
    return [Request(f"p{index}", 0, f"say {index}", ("#",), 9, index) for index in range(count)]


def complete(server, wanted=None, ref=BASE, done=frozenset(), **options):
    options = {"url": server.url, "retries": 3, "timeout_s": 1.0, **options}
    engine = open_engine("openai", options=options)
    try:
        found = engine.generate(ref, requests() if wanted is None else wanted, SAMPLING, done)
        return {each.problem: each for each in found}
    finally:
        engine.close()


def test_each_request_is_asked_once_with_its_seed_and_cut_at_its_stop():
    with CompletionsServer() as server:
        answers = complete(server)
    assert {name: each.text for name, each in answers.items()} == {
        f"p{index}": f" {index} say " for index in range(4)
    }
    assert {each.finish for each in answers.values()} == {"stop"}
    assert sorted(body["seed"] for body in server.asked) == [0, 1, 2, 3]
    assert {body["temperature"] for body in server.asked} == {0.5}


def test_a_stop_sequence_beyond_those_that_servers_take_ends_the_text_all_the_same():
    stopped = replace(requests(1)[0], stop=("a1", "a2", "a3", "a4", " say"))
    with CompletionsServer() as server:
        (answer,) = complete(server, [stopped]).values()
    assert (answer.text, answer.finish) == (" 0", "stop")


def test_the_openai_engine_keeps_the_promises_of_an_engine():
    with CompletionsServer() as server:
        engine = open_engine("openai", options={"url": server.url, "retries": 0})
        check_engine(engine, BASE)
        engine.close()


@pytest.mark.parametrize(
    "fault",
    ["overloaded", "limited", "hang", "hang_up", "cut_off", "bad_json", "no_choice", "aborted"],
)
def test_a_failure_that_passes_costs_nothing(fault):
    with CompletionsServer([fault]) as server:
        answers = complete(server)
    assert sorted(answers) == ["p0", "p1", "p2", "p3"]
    assert len(server.asked) == 5


@pytest.mark.parametrize("fault", ["overloaded", "cut_off", "bad_json", "no_choice", "aborted"])
def test_a_failure_that_stays_is_an_engine_error_that_names_server_and_item(fault):
    with CompletionsServer([fault] * 99) as server, pytest.raises(EngineError) as failed:
        complete(server, requests(1), retries=1)
    assert server.url in str(failed.value)
    assert "on p0:" in str(failed.value)


def test_a_refusal_is_not_repeated():
    with CompletionsServer(["refused"] * 9) as server:
        with pytest.raises(EngineError, match="no key"):
            complete(server, requests(1))
        assert len(server.asked) == 1


def test_a_server_that_is_not_there_is_an_engine_error():
    with CompletionsServer() as server:
        gone = server
    with pytest.raises(EngineError, match="APIConnectionError"):
        complete(gone, requests(1), retries=0)


def test_a_prompt_that_fills_the_context_is_a_verdict():
    with CompletionsServer(context=8) as server:
        (answer,) = complete(server, requests(1)).values()
    assert (answer.text, answer.finish) == ("", "too_long")


def test_an_answer_is_limited_to_the_room_that_the_context_has():
    long = replace(requests(1)[0], max_new_tokens=500)
    with CompletionsServer(context=108) as server:
        (answer,) = complete(server, [long]).values()
    assert [body["max_tokens"] for body in server.asked] == [500, 1, 100]
    assert answer.text.startswith(" 0")


def test_a_server_that_does_not_say_what_fits_is_an_error():
    with (
        CompletionsServer(["silent"]) as server,
        pytest.raises(EngineError, match=r"lower sampling\.max_new_tokens"),
    ):
        complete(server, requests(1))


def test_an_answer_without_counts_is_whole_all_the_same():
    with CompletionsServer(["uncounted"]) as server:
        (answer,) = complete(server, requests(1)).values()
    assert (answer.text, answer.tokens, answer.finish) == (" whole", 0, "stop")


def test_only_what_is_missing_is_asked():
    with CompletionsServer() as server:
        complete(server, done=frozenset({("p0", 0), ("p2", 0)}))
    assert sorted(body["prompt"] for body in server.asked) == ["say 1", "say 3"]


def test_no_more_requests_run_at_a_time_than_allowed():
    with CompletionsServer() as server:
        complete(server, requests(30), concurrency=3)
    assert server.most_at_once <= 3


def test_requests_keep_to_the_rate():
    with CompletionsServer() as server:
        start = time.monotonic()
        complete(server, requests(5), per_minute=1200)
    assert time.monotonic() - start >= 4 * 60 / 1200


def test_a_trained_model_goes_by_the_name_that_the_server_has_for_it():
    ref = ModelRef("nano", Path("store/train/abc/model"), adapter=True)
    with CompletionsServer() as server:
        complete(server, requests(1), ref=ref, tuned="study-{key}")
    assert [body["model"] for body in server.asked] == ["study-abc"]


def test_a_trained_model_without_a_name_is_an_error_that_says_how_to_give_one():
    ref = ModelRef("nano", Path("store/train/abc/model"), adapter=True)
    with CompletionsServer() as server, pytest.raises(EngineError, match=r"engine_options\.tuned"):
        complete(server, ref=ref)


def test_options_that_make_no_sense_are_a_usage_error():
    with pytest.raises(UsageError, match="concurrency of at least 1"):
        open_engine("openai", options={"concurrency": 0})
    with pytest.raises(UsageError, match="did you mean 'retries'"):
        open_engine("openai", options={"retry": 3})
