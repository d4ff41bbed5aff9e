"""The judging side of an EvalPlus problem: calls candidate and reference with the same inputs.

The reference runs here, so its results, which are the expected values, are out of the candidate's
reach; so are the inputs that are still to come.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from channel import Channel, Vanished
from check import load_outcome
from oracles import NOT_NONE, agree, expect
from program import describe, load, outcome_of
from proxy import Lost, Remote
from session import begin
from wire import Malformed, decode

_SHOWN = 200


def main():
    """Compare all inputs until one differs, and report."""
    session = begin()
    request = session.request
    reference = session.prepare(_reference, request)
    channel = Channel(session.inbox, session.outbox)
    done, outcome, message = judge(request, reference, channel)
    session.report(outcome, message, done, len(request["inputs"]))


def _reference(request):
    return load(request["reference"], "reference")[request["entry_point"]]


def judge(request, reference, channel):
    """Return how many inputs were right, the outcome and a message."""
    try:
        loaded = channel.receive()
    except Vanished:
        return 0, "early_exit", "the program ended while it was loaded"
    except Malformed as error:
        return 0, "error", str(error)
    if loaded.get("ready") is not True:
        return 0, *load_outcome(loaded)
    remote = Remote(channel)
    remote.whether = request["oracle"] in NOT_NONE
    candidate = remote.function(request["entry_point"])
    for number, form in enumerate(request["inputs"]):
        outcome, message = compare(request, reference, candidate, form)
        if outcome != "passed":
            return number, outcome, f"input {number}: {message}"
    return len(request["inputs"]), "passed", ""


def compare(request, reference, candidate, form):
    """Compare one input's results; each side gets its own copy of the input."""
    oracle = request["oracle"]
    expected = expect(oracle, reference(*decode(form)))
    try:
        found = candidate(*decode(form))
    except Vanished:
        return "early_exit", "the program ended during the call"
    except Lost as error:
        return "error", str(error)
    except BaseException as error:
        return outcome_of(error), describe(error)
    try:
        right = agree(oracle, decode(form), found, expected, request["atol"])
    except Exception as error:  # values of other types than the reference's
        return "failed", describe(error)
    return ("passed", "") if right else ("failed", f"returned {_show(found)}")


def _show(value):
    try:
        text = repr(value)[:_SHOWN]
    except Exception:  # Python does not write integers of more than 4300 digits
        return f"a value of type {type(value).__name__} that cannot be shown"
    return text.encode("ascii", "backslashreplace").decode("ascii")


if __name__ == "__main__":
    main()
