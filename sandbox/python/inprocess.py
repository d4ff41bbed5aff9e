"""A Python suite with the candidate in the same process, for what cannot be carried between two.

Covered: leaving early, printing a marker, a suite that executes nothing. Not covered: a candidate
that walks frames to the report, patches built-ins or returns objects that are equal to everything.
That is why scores from here are labelled.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from checks import COUNTER, Count, compile_counted, failed_line
from program import LoadError, describe, load, outcome_of
from session import begin

SUITE = "suite"


def main():
    """Load the candidate, run the suite in its namespace, report."""
    session = begin()
    sys.path.pop(0)
    request, report, count = session.request, session.report, Count()
    code = session.prepare(compile_counted, request["suite"], SUITE)
    del session
    outcome, message = judge(request, code, count)
    expected = request.get("expected_checks")
    if (
        outcome == "passed"
        and count.value != expected
        and (expected is not None or not count.value)
    ):
        outcome, message = "no_tests", f"{count.value} checks were executed"
    report(outcome, message, count.value, expected or 0)


def judge(request, code, count):
    """Return the outcome and a message; leaving early shows here or as a missing report."""
    try:
        namespace = load(request["source"])
        namespace[COUNTER] = count
        exec(code, namespace)
    except LoadError as error:
        return error.outcome, str(error)
    except SystemExit:
        return "early_exit", "the program left by SystemExit"
    except AssertionError as error:
        return "failed", failed_line(error, request["suite"], SUITE) or describe(error)
    except BaseException as error:
        return outcome_of(error), describe(error)
    return "passed", ""


if __name__ == "__main__":
    main()
