from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from mftbench.cli import app
from mftbench.errors import UsageError
from mftbench.inference.engine import Completion, Request
from mftbench.inference.parity import agreement, traces
from mftbench.inference.scripted import ScriptedEngine
from mftbench.inference.trace import Trace
from mftbench.stages import ModelRef, Sampling


def trace(ids, logprobs=(), text=None):
    text = str(ids) if text is None else text
    return Trace(Completion("p", 0, text, len(ids), "length"), tuple(ids), tuple(logprobs))


def compared(one, other):
    return agreement({("p", 0): one}, {("p", 0): other})


def test_equal_traces_agree_and_their_gaps_are_measured():
    found = compared(trace([1, 2], [-0.5, -1.0]), trace([1, 2], [-0.5, -1.5]))
    assert (found.same_text, found.differing, found.first_difference) == (1, 0, None)
    assert (found.mean_gap, found.largest_gap) == (0.25, 0.5)


def test_the_first_other_token_is_named_and_later_gaps_do_not_count():
    found = compared(trace([1, 2, 3], [0, 0, 0]), trace([1, 9, 3], [0, -5, -5]))
    assert (found.same_text, found.differing, found.first_difference) == (0, 1, 1)
    assert found.largest_gap == 0


def test_an_answer_that_goes_on_differs_where_the_other_ended():
    assert compared(trace([1, 2]), trace([1, 2, 3])).first_difference == 2


def test_an_engine_that_tells_no_tokens_is_compared_by_its_texts():
    request = Request("p", 0, "say", (), 8, 0)
    engine = ScriptedEngine({"p": "same"})
    silent = traces(engine, ModelRef("nano"), [request], Sampling())
    found = agreement(silent, {("p", 0): trace([1], [0.0], text="same")})
    assert (found.same_text, found.differing, found.mean_gap) == (1, None, None)


def test_the_command_shows_the_noise_floor_of_one_engine():
    command = ["parity", "transformers:batch=1", "transformers:batch=4", "-n", "3", "--json"]
    result = CliRunner().invoke(app, [*command, "--task", "sql", "--new-tokens", "8"])
    found = json.loads(result.stdout)
    assert found["items"] == 3
    assert found["largest_gap"] < 1e-3


@pytest.mark.parametrize("batch", ["many", "-1", "1.5"])
def test_a_batch_that_is_no_number_of_rows_is_a_usage_error(batch):
    command = ["parity", f"scripted:batch={batch}", "scripted"]
    with pytest.raises(UsageError, match=r"'scripted:batch=.*': batch .* is not a number of rows"):
        CliRunner().invoke(app, command, catch_exceptions=False)


def test_a_setting_without_a_value_is_a_usage_error():
    with pytest.raises(UsageError, match="'batch' is not KEY=VALUE"):
        CliRunner().invoke(app, ["parity", "scripted:batch", "scripted"], catch_exceptions=False)
