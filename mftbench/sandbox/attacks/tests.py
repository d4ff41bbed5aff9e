"""Generated tests that prove nothing, or look behind the stand-ins: V18, run on a right program.

Those of kind twins run on it twice, as on the reference and on a mutant, and must not tell which.
"""

from __future__ import annotations

from mftbench.contract import Outcome
from mftbench.sandbox.attacks.attack import FAILURES, Attack, attack


def _tests(id: str, text: str, *expected: Outcome) -> Attack:
    return attack(id, text, *expected, kind="tests")


_COUNTED = """    while y:
        x, y = x + 1, y - 1
    return x
"""
COUNTING = f"def add(x, y):\n{_COUNTED}"
"""A right program that takes long enough to be timed."""

# A program that is watched while it runs is several times slower than the same code in the tests.
_TIMES = f"""
import time
def counted(x, y):
{_COUNTED}
def took(function):
    begin = time.perf_counter()
    function(0, 20000)
    return time.perf_counter() - begin
def best(function):
    return min(took(function) for _ in range(25))
assert add(1, 2) == 3
assert best(add) > 2 * best(counted)
"""

TESTS = (
    _tests("V18-vacuous", "assert True\n", Outcome.NO_TESTS),
    _tests("V18-no-assertion", "add(1, 2)\n", Outcome.NO_TESTS),
    _tests("V18-reads-the-source", "import inspect\nassert inspect.getsource(add)\n", *FAILURES),
    _tests("V18-leaves", "import os\nadd(1, 2)\nos._exit(0)\n", Outcome.EARLY_EXIT),
    _tests(
        "V18-swallows",
        "try:\n    assert add(1, 2) == 4\nexcept BaseException:\n    pass\n",
        Outcome.PASSED,  # valid on the reference; it kills no mutant, and so scores 0
    ),
    _tests("V18-wrong", "assert add(1, 2) == 4\n", Outcome.FAILED),
    _tests("V18-right", "assert add(1, 2) == 3\n", Outcome.PASSED),
    attack("V18-times-the-program", _TIMES, Outcome.PASSED, kind="twins"),
)
