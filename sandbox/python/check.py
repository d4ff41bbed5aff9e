"""The judging side of a Python suite: runs the trusted suite against stand-ins of the candidate.

The candidate's functions live in the peer process. What comes back is rebuilt from typed values,
so no method of a candidate's object ever runs here.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from channel import Channel, Vanished
from checks import COUNTER, Count, compile_counted, failed_line
from program import describe, outcome_of
from proxy import Lost, Remote
from session import begin
from wire import Malformed

SUITE = "suite"


def main():
    """Run the suite once the candidate has loaded, and report what came of it."""
    session = begin()
    request, count = session.request, Count()
    code = session.prepare(compile_counted, request["suite"], SUITE)
    outcome, message = judge(request, code, Channel(session.inbox, session.outbox), count)
    expected = request.get("expected_checks")
    if (
        outcome == "passed"
        and count.value != expected
        and (expected is not None or not count.value)
    ):
        wanted = "at least 1" if expected is None else expected
        outcome = "failed" if count.value else "no_tests"
        message = f"{count.value} checks were executed, not {wanted}"
    session.report(outcome, message, count.value, expected or 0)


def judge(request, code, channel, count):
    """Return the outcome and a message."""
    try:
        loaded = channel.receive()
    except Vanished:
        return "early_exit", "the program ended while it was loaded"
    except Malformed as error:
        return "error", str(error)
    if loaded.get("ready") is not True:
        return load_outcome(loaded)
    remote = Remote(channel)
    namespace = {"__name__": SUITE, COUNTER: count}
    namespace.update({name: remote.function(name) for name in request["entry_points"]})
    return run(code, namespace, remote, request["suite"])


def run(code, namespace, remote, source):
    """Execute the suite; a failure of the exchange counts even if the suite swallowed it."""
    try:
        exec(code, namespace)
    except AssertionError as error:
        if error is not remote.raised:
            return "failed", failed_line(error, source, SUITE) or describe(error)
        return "error", describe(error)
    except (Vanished, Lost) as error:
        remote.failure = error
    except BaseException as error:
        if error is remote.raised:
            return outcome_of(error), describe(error)
        return "failed", f"{describe(error)} ({failed_line(error, source, SUITE)})"
    if isinstance(remote.failure, Vanished):
        return "early_exit", "the program ended during a call"
    if remote.failure is not None:
        return "error", str(remote.failure)
    return "passed", ""


def load_outcome(message):
    """Name the outcome of a program that did not load; it is not trusted with others."""
    outcome = message.get("outcome")
    known = ("error", "compile_error", "out_of_memory")
    return (outcome if outcome in known else "error"), str(message.get("message", ""))[:300]


if __name__ == "__main__":
    main()
