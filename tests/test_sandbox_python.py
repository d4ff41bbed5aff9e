"""Python suites in two processes: what the suite can rely on when it calls the candidate."""

import pytest

from mftbench.contract import Limits, Outcome, Program, Step
from mftbench.sandbox.verdict import verdict_of

pytestmark = pytest.mark.needs_bubblewrap


def run(sandbox, source, suite, *, names=("f",), checks=None, limits=None):
    names = list(names)
    peer = Step("candidate", "python/candidate.py", {"source": source, "entry_points": names})
    request = {"suite": suite, "entry_points": names, "expected_checks": checks}
    program = Program("python", (Step("check", "python/check.py", request, peer=peer),))
    return sandbox.run(program, limits or Limits()).steps[0]


def verdict(sandbox, source, suite, **options):
    return verdict_of(run(sandbox, source, suite, **options))


RAISES = """
try:
    f(3)
    assert False
except {} as error:
    assert error.args == {}
"""


@pytest.mark.parametrize(
    ("source", "suite"),
    [
        ("def f(a, *b, c, **d): return a, b, c, d", "assert f(1, 2, c=3) == (1, (2,), 3, {})"),
        ("def f(a): a.append(1); a[0] = 'x'", "a = [0]\nassert f(a) is None\nassert a == ['x', 1]"),
        ("def f(a): a[0][0] = 9", "row = [1]\na = [row]\nf(a)\nassert row == [9]"),
        ("def f(a): a.clear()", "a = {1: 2}\nf(a=a)\nassert a == {}"),
        ("def f(n): raise ValueError('bad', n)", RAISES.format("ValueError", "('bad', 3)")),
        ("class K(KeyError): pass\ndef f(n): raise K(n)", RAISES.format("KeyError", "(3,)")),
        ("c = []\ndef f(): c.append(1); return len(c)", "assert f() == 1\nassert f() == 2"),
        ("def f(): return g()\ndef g(): return 1", "assert f() == g()"),
        ("f = lambda: 2", "assert f() == 2"),
        ("from dataclasses import *\n@dataclass\nclass P: x: 1\nf = lambda: P(1).x", "assert f()"),
        ("import random\ndef f(): return random.random()", "first = f()\nassert 0 <= first < 1"),
        ("def f(kind): return kind is int", "assert f(int)"),
    ],
    ids=range(12),
)  # fmt: skip
def test_a_call_is_like_a_call(bubblewrap, source, suite):
    found = verdict(bubblewrap, source, suite, names=["f", "g"])
    assert found.outcome is Outcome.PASSED, found.reason


@pytest.mark.parametrize(
    ("source", "suite", "message"),
    [
        ("def f(): return lambda: 1", "assert f()", "'function' cannot be carried"),
        ("def f(g): return g(1)", "assert f(lambda x: x)", "'function' cannot be carried"),
        ("def f():\n    yield 1", "assert list(f()) == [1]", "'generator' cannot be carried"),
        ("class A: pass\ndef f(): return A()", "assert f()", "'A' cannot be carried"),
        ("def f(): return [0] * 10**7", "assert f()", "cannot be carried"),
    ],
)
def test_what_cannot_be_carried_is_said(bubblewrap, source, suite, message):
    found = verdict(bubblewrap, source, suite)
    assert found.outcome is Outcome.ERROR
    assert message in found.reason


def test_a_suite_cannot_swallow_a_lost_call(bubblewrap):
    suite = "try:\n    f()\nexcept BaseException:\n    pass\nassert True"
    assert verdict(bubblewrap, "def f(): return f", suite).outcome is Outcome.ERROR


def test_a_suite_cannot_swallow_a_vanished_candidate(bubblewrap):
    suite = "try:\n    f()\nexcept:\n    pass\nassert True"
    source = "import os\ndef f(): os._exit(0)"
    assert verdict(bubblewrap, source, suite).outcome is Outcome.EARLY_EXIT


def test_the_number_of_checks_must_be_the_expected_one(bubblewrap):
    suite = "try:\n    assert f() == 1\n    assert f() == 2\nexcept ValueError:\n    pass"
    source = (
        "results = [1]\ndef f():\n    if not results: raise ValueError\n    return results.pop()"
    )
    assert verdict(bubblewrap, source, suite).outcome is Outcome.PASSED
    assert verdict(bubblewrap, source, suite, checks=3).outcome is Outcome.FAILED


def test_explicit_calls_of_check_are_checks(bubblewrap):
    suite = "def check(candidate):\n    candidate()\ncheck(f)"
    report = run(bubblewrap, "def f(): pass", suite, checks=1).report
    assert (report.outcome, report.checks, report.expected_checks) == (Outcome.PASSED, 1, 1)


def test_a_missing_function_is_an_error_of_the_candidate(bubblewrap):
    found = verdict(bubblewrap, "def g(): pass", "assert f()")
    assert (found.outcome, found.reason) == (
        Outcome.ERROR,
        "NameError: the program defines no 'f'",
    )


def test_a_failing_assertion_names_its_line(bubblewrap):
    found = verdict(bubblewrap, "def f(): return 1", "x = 1\nassert f() == 2, 'no'\n")
    assert found.reason == "line 2: assert f() == 2, 'no'"


def test_a_value_of_another_type_fails_and_does_not_break_the_checker(bubblewrap):
    found = verdict(bubblewrap, "def f(): return None", "assert abs(f() - 1) < 1")
    assert found.outcome is Outcome.FAILED


def test_a_candidate_that_exceeds_processor_time_times_out(bubblewrap):
    limits = Limits(wall_s=20, cpu_s=1)
    found = run(bubblewrap, "def f():\n    while True: pass", "assert f()", limits=limits)
    assert found.limit == "timeout"


def test_printed_text_is_kept_and_bounded(bubblewrap):
    source = "def f():\n    print('begin' + 'x' * 100_000 + 'end')\n    return 1"
    found = run(bubblewrap, source, "assert f() == 1")
    assert found.stdout.startswith("begin")
    assert found.stdout.endswith("end\n")
    assert found.dropped_bytes > 80_000
    assert len(found.stdout) < 10_000


def test_output_that_is_not_text_is_replaced(bubblewrap):
    source = "import os\ndef f():\n    os.write(1, b'\\xff\\xfe')\n    return 1"
    assert run(bubblewrap, source, "assert f() == 1").stdout == "\ufffd\ufffd"


def test_set_order_and_hashes_are_the_same_every_time(bubblewrap):
    source = "def f(): return list({'a', 'b', 'c', 'd'})"
    orders = {run(bubblewrap, source, "print(f())\nassert f()").stdout for _ in range(3)}
    assert len(orders) == 1
