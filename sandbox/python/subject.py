"""The trusted side of test generation: the program under test, which counts how often it is called.

The tests run in the peer process and see nothing of the program but its answers, so they cannot
tell the reference from a mutant by anything but behaviour. Every program is watched, also where
nobody asks which lines it executed: one that were not would be told by its speed.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from channel import Channel, Vanished
from lines import Lines
from program import load
from serve import serve
from session import begin
from wire import Malformed

_OUTCOMES = ("passed", "failed", "error", "compile_error", "out_of_memory", "early_exit")


class Calls:
    """How often the program was called."""

    __slots__ = ("count",)

    def __init__(self):
        self.count = 0

    def __call__(self):
        """Count one call."""
        self.count += 1


def main():
    """Load the program, serve the tests, report what they came to."""
    session = begin()
    sys.path.pop(0)
    request = session.request
    program = load(request["source"], "subject")
    namespace = {name: program[name] for name in request["entry_points"]}
    channel, calls = Channel(session.inbox, session.outbox), Calls()
    lines = Lines(request["source"], "subject")
    lines.watch()
    try:
        channel.send({"ready": True})
        end = serve(channel, namespace, calls)
    except Vanished:
        end = None
    except Malformed as error:
        end = {"outcome": "error", "message": str(error)}
    outcome, message, assertions = _judge(end, calls.count)
    detail = {"calls": calls.count, "assertions": assertions}
    if request.get("coverage"):
        detail.update(lines=len(lines.all), covered=lines.covered)
    session.report(outcome, message, assertions, detail=detail)


def _judge(end, calls):
    """Judge what the tests said last; they are not trusted, and their calls were counted here."""
    if end is None:
        return "early_exit", "the tests ended without a result", 0
    outcome, assertions = end.get("outcome"), end.get("assertions", 0)
    message = str(end.get("message", ""))[:500]
    if outcome not in _OUTCOMES or type(assertions) is not int or assertions < 0:
        return "error", "the tests gave no result", 0
    if outcome == "passed" and not (assertions and calls):
        return "no_tests", f"{assertions} assertions, {calls} calls", assertions
    return outcome, message, assertions


if __name__ == "__main__":
    main()
