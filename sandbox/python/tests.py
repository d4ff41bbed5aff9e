"""The judged side of test generation: runs generated tests against stand-ins of the program.

Understood: assert statements at the top level, functions named ``test...`` without parameters, and
``unittest`` cases. What fails is the first test that fails.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from channel import Channel, Vanished
from checks import COUNTER, Count, compile_counted, failed_line
from program import describe, outcome_of
from proxy import Lost, Remote
from session import begin

TESTS = "tests"


def main():
    """Run the tests and send the program's process what came of them."""
    session = begin()
    sys.path.pop(0)
    channel, count = Channel(session.inbox, session.outbox), Count()
    send = channel.send
    outcome, message = judge(session.request, channel, count)
    send({"outcome": outcome, "message": message, "assertions": count.value})


def judge(request, channel, count):
    """Return the outcome and a message; ``SystemExit`` passes through, and so says nothing."""
    channel.receive()  # the program is ready: an answer before that could find nobody to read it
    try:
        code = compile_counted(request["tests"], TESTS)
    except Exception as error:
        return "compile_error", describe(error)
    remote = Remote(channel)
    namespace = {"__name__": TESTS, COUNTER: count}
    functions = {name: remote.function(name) for name in request["entry_points"]}
    namespace.update(functions)
    _importable(functions)
    try:
        exec(code, namespace)
        run_tests(namespace, count)
    except SystemExit:
        raise
    except AssertionError as error:
        return "failed", failed_line(error, request["tests"], TESTS) or describe(error)
    except (Vanished, Lost) as error:
        return "error", str(error)
    except BaseException as error:
        if error is remote.raised:  # the program raised where the test did not expect it
            return "failed", describe(error)
        return outcome_of(error), describe(error)
    if remote.failure is not None:
        return "error", str(remote.failure)
    return "passed", ""


def run_tests(namespace, count):
    """Call the test functions and run the test cases that the text defines."""
    for name, value in list(namespace.items()):
        if name.startswith("test") and _is_plain_function(value):
            value()
    unittest = sys.modules.get("unittest")
    if unittest is None:
        return
    for value in list(namespace.values()):
        if isinstance(value, type) and issubclass(value, unittest.TestCase):
            _run_case(unittest, value, count)


def _is_plain_function(value):
    return type(value).__name__ == "function" and value.__code__.co_argcount == 0


def _run_case(unittest, case, count):
    """Run one case so that its first failure leaves as the exception that it was."""
    for name in [name for name in dir(unittest.TestCase) if name.startswith("assert")]:
        setattr(case, name, _counted(getattr(case, name), count))
    for test in unittest.defaultTestLoader.loadTestsFromTestCase(case):
        test.debug()


def _counted(method, count):
    def assertion(*args, **kwargs):
        count()
        return method(*args, **kwargs)

    return assertion


def _importable(functions):
    """Let ``from solution import f`` work: generated tests import what they test, by any name."""
    import types

    module = types.ModuleType("solution")
    module.__dict__.update(functions)
    for name in ("solution", "candidate", "main", *functions):
        sys.modules.setdefault(name, module)


if __name__ == "__main__":
    leave = os._exit
    main()
    leave(0)
