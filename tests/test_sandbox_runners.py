"""JavaScript suites, generated tests and SQL queries in the sandbox."""

import os

import pytest
from runner_modules import runner_module

from mftbench.contract import Limits, Outcome, Problem, Program, Step
from mftbench.errors import SandboxError
from mftbench.plugins import load_task
from mftbench.sandbox import bubblewrap as bubblewrap_module
from mftbench.sandbox.attacks import EVERY_ATTACK, attack_program
from mftbench.sandbox.verdict import verdict_of
from mftbench.testing.sandbox import suite_program

pytestmark = pytest.mark.needs_bubblewrap

LIMITS = Limits(wall_s=3.0)
ADD_ONE = "def f(x):\n    return x + 1\n"


# ---------------------------------------------------------------- generated tests


def under_test(sandbox, tests, source=ADD_ONE):
    peer = Step("tests", "python/tests.py", {"tests": tests, "entry_points": ["f"]})
    request = {"source": source, "entry_points": ["f"]}
    program = Program("python", (Step("reference", "python/subject.py", request, peer=peer),))
    return sandbox.run(program, LIMITS).steps[0]


@pytest.mark.parametrize(
    ("tests", "outcome"),
    [
        ("assert f(1) == 2", Outcome.PASSED),
        ("def test_one():\n    assert f(1) == 2", Outcome.PASSED),
        ("from solution import f\nassert f(1) == 2", Outcome.PASSED),
        ("try:\n    f('')\nexcept TypeError:\n    assert True", Outcome.PASSED),
        ("assert f(1) == 3", Outcome.FAILED),
        ("f('')", Outcome.FAILED),
        ("assert True", Outcome.NO_TESTS),
        ("f(1)", Outcome.NO_TESTS),
        ("import inspect\nassert inspect.getsource(f)", Outcome.NO_TESTS),
        ("", Outcome.NO_TESTS),
        ("1 / 0", Outcome.ERROR),
        ("raise SystemExit", Outcome.EARLY_EXIT),
        ("import os\nos._exit(0)", Outcome.EARLY_EXIT),
        ("assert f(1) ==", Outcome.COMPILE_ERROR),
        ("while True: pass", Outcome.TIMEOUT),
    ],
)
def test_generated_tests_get_their_outcome(bubblewrap, tests, outcome):
    assert verdict_of(under_test(bubblewrap, tests)).outcome is outcome


UNITTEST = """
import unittest
class Cases(unittest.TestCase):
    def test_f(self):
        self.assertEqual(f(1), 2)
if __name__ == "__main__":
    unittest.main()
"""


def test_unittest_cases_run_and_their_assertions_count(bubblewrap):
    report = under_test(bubblewrap, UNITTEST).report
    assert report.outcome is Outcome.PASSED
    assert report.detail["calls"] == 1
    assert report.detail["assertions"] >= 1


BRANCHES = """
def f(x):
    if x > 0:
        y = 1
    else:
        y = 2
    return [y for _ in range(2)]
"""


@pytest.mark.parametrize(("tests", "covered"), [("assert f(1)", 3), ("assert f(1) and f(0)", 4)])
def test_lines_that_the_tests_execute_are_counted(bubblewrap, tests, covered):
    peer = Step("tests", "python/tests.py", {"tests": tests, "entry_points": ["f"]})
    request = {"source": BRANCHES, "entry_points": ["f"], "coverage": True}
    program = Program("python", (Step("reference", "python/subject.py", request, peer=peer),))
    detail = bubblewrap.run(program, LIMITS).steps[0].report.detail
    assert (detail["lines"], detail["covered"]) == (4, covered)


def test_tests_cannot_write_coverage(bubblewrap):
    tests = "import sys\nsys.settrace(None)\nopen('coverage.json', 'w').write('1')\nassert f(1)"
    report = under_test(bubblewrap, tests).report
    assert "covered" not in report.detail


def test_tests_cannot_tell_by_its_speed_whether_a_program_is_the_reference(bubblewrap):
    [timing] = [attack for attack in EVERY_ATTACK if attack.kind == "twins"]
    steps = bubblewrap.run(attack_program(timing), LIMITS).steps
    found = [verdict_of(step) for step in steps]
    assert [each.outcome for each in found] == [Outcome.PASSED] * 2, found


def test_a_mutant_is_killed(bubblewrap):
    mutant = ADD_ONE.replace("+ 1", "- 1")
    assert verdict_of(under_test(bubblewrap, "assert f(1) == 2", mutant)).outcome is Outcome.FAILED


def test_a_mutant_that_raises_is_killed(bubblewrap):
    mutant = "def f(x):\n    raise KeyError\n"
    assert verdict_of(under_test(bubblewrap, UNITTEST, mutant)).outcome is Outcome.FAILED


def judged(sandbox, tests, mutants=6):
    """Judge tests as the task does, on a function that has so many mutants."""
    task = load_task("test_generation")
    changed = [ADD_ONE.replace("+ 1", f"- {number}") for number in range(1, mutants + 1)]
    facts = {"entry_points": ["f"], "reference": ADD_ONE, "mutants": changed}
    problem = Problem("p", "", "", facts)
    return task.judge(problem, sandbox.run(task.program(problem, tests), LIMITS))


def test_tests_that_check_the_function_are_valid_and_kill(bubblewrap):
    assert judged(bubblewrap, "assert f(1) == 2", mutants=2).passed


@pytest.mark.parametrize("share", [128, 192])
def test_tests_that_toss_a_coin_are_not_believed(bubblewrap, share):
    tests = f"import os\nf(1)\nassert os.urandom(1)[0] < {share}"
    verdict = judged(bubblewrap, tests)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.scores["killed"] < 1


# What a process has read stays in the machine's memory, and tells the next one that it was read.
REMEMBERS = """
import os
f(1)
with open("/seen/file", "rb", buffering=0) as file:
    try:
        first = not os.preadv(file.fileno(), [bytearray(64)], 0, os.RWF_NOWAIT)
    except BlockingIOError:
        first = True
    file.read()
assert first
"""


def forget(file):
    """Drop a file's pages from memory, where its file system can; say whether it could."""
    with file.open("rb", buffering=0) as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        try:
            return not os.preadv(opened.fileno(), [bytearray(64)], 0, os.RWF_NOWAIT)
        except BlockingIOError:
            return True
        finally:
            opened.read()  # what is on its way into memory cannot be dropped
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def test_tests_that_pass_only_when_they_run_first_are_not_valid(bubblewrap, tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_bytes(b"x" * 4096)
    if not forget(file):
        pytest.skip("the file system of temporary files keeps them in memory")
    mounts = bubblewrap_module.mounts
    shown = ["--ro-bind", str(tmp_path), "/seen"]
    monkeypatch.setattr(bubblewrap_module, "mounts", lambda *given: [*shown, *mounts(*given)])
    verdict = judged(bubblewrap, REMEMBERS, mutants=2)
    assert verdict.scores["valid"] == 0.0
    assert "every run of the reference" in verdict.reason


def test_tests_reach_nothing_of_the_program_but_its_entry_points(bubblewrap):
    tests = "import sys\nf.__name__ = 'secret'\nassert f(1) == 2\nassert not hasattr(sys, 'secret')"
    source = "secret = 7\n" + ADD_ONE
    assert verdict_of(under_test(bubblewrap, tests, source)).passed


# ---------------------------------------------------------------- JavaScript


def javascript(sandbox, source, suite, checks=None):
    request = {"source": source, "suite": suite, "entry_points": ["f"], "expected_checks": checks}
    step = Step("check", "node/check.js", request, in_process=True)
    return sandbox.run(Program("javascript", (step,)), LIMITS).steps[0]


@pytest.mark.needs_node
@pytest.mark.parametrize(
    ("source", "suite", "outcome"),
    [
        ("function f(x) { return x + 1 }", "assert.strictEqual(f(1), 2)", Outcome.PASSED),
        ("const f = (x) => [x]", "assert.deepStrictEqual(f(1), [1])", Outcome.PASSED),
        ("const f = () => 1", "console.assert(f() === 1)", Outcome.PASSED),
        ("const f = () => 1", "assert(f() === 2)", Outcome.FAILED),
        ("const f = () => '1'", "assert.equal(f(), 1)", Outcome.FAILED),
        ("const f = () => 1", "f()", Outcome.NO_TESTS),
        ("const f = () => { throw 1 }", "assert(f())", Outcome.ERROR),
        ("function f( {", "assert(f())", Outcome.COMPILE_ERROR),
        ("process.exit(0)", "assert(f())", Outcome.EARLY_EXIT),
        ("const f = () => process.exit(0)", "assert(f())", Outcome.EARLY_EXIT),
        ("const f = () => process.reallyExit(0)", "assert(f())", Outcome.EARLY_EXIT),
        ("const f = () => { for (;;); }", "assert(f())", Outcome.TIMEOUT),
        ("const f = () => { for (;;) console.log('x'.repeat(1e6)) }", "f()", Outcome.OUTPUT_LIMIT),
        ("f = (a) => { for (;;) a.push(Array(1e5).fill(.5)) }", "f([])", Outcome.OUT_OF_MEMORY),
    ],
)  # fmt: skip
def test_javascript_gets_its_outcome(bubblewrap, source, suite, outcome):
    verdict = verdict_of(javascript(bubblewrap, source, suite))
    assert verdict.outcome is outcome, verdict.reason
    assert verdict.in_process


@pytest.mark.needs_node
def test_javascript_checks_are_counted(bubblewrap):
    suite = "for (let i = 0; i < 3; i++) assert.ok(f() === 1)"
    assert javascript(bubblewrap, "const f = () => 1", suite).report.checks == 3
    short = javascript(bubblewrap, "const f = () => 1", suite, checks=4)
    assert verdict_of(short).outcome is Outcome.FAILED


@pytest.mark.needs_node
@pytest.mark.parametrize(
    "source",
    [
        "function f(x) { return x + 1 }\nmodule.exports = { f }",
        "function f(x) { return x + 1 }\nmodule.exports = f\nmodule.exports.f = f",
        "const f = (x) => x + 1\nexports.f = f",
        "const f = (x) => x + 1\nif (typeof module !== 'undefined') module.exports = f",
        "const f = (x) => x + 1\nif (require.main === module) process.exit(1)",
        "const f = (x) => x + (__filename.startsWith(__dirname) ? 1 : 0)",
        "'use strict'\nconst path = require('node:path')\nconst f = (x) => x + 1",
    ],
)
def test_javascript_that_exports_its_function_is_right(bubblewrap, source):
    verdict = verdict_of(javascript(bubblewrap, source, "assert.strictEqual(f(1), 2)"))
    assert verdict.passed, verdict.reason


@pytest.mark.needs_node
@pytest.mark.parametrize(
    "declared",
    [
        "const assert = require('assert')\nassert.ok(true)\n",
        "const assert = require('assert').strict\n",
        "var assert = require('assert')\n",
        "function assert(claim) { if (!claim) throw claim }\n",
        "const { assert } = console\n",
        "const console = require('console')\n",
        "console.assert = () => {}\n",
        "const suite = 1, own = 2, counted = 3\n",
    ],
)
@pytest.mark.parametrize("claim", ["assert(f(1) === 2)", "console.assert(f(1) === 2)"])
def test_javascript_is_judged_by_the_suite_s_assert_whatever_it_declares(
    bubblewrap, declared, claim
):
    right = javascript(bubblewrap, declared + "const f = (x) => x + 1", claim, checks=1)
    assert verdict_of(right).passed, verdict_of(right).reason
    wrong = javascript(bubblewrap, declared + "const f = (x) => x", claim, checks=1)
    assert verdict_of(wrong).outcome is Outcome.FAILED


@pytest.mark.needs_node
@pytest.mark.parametrize(
    "source",
    [
        "const f = () => 7\nglobalThis.assert = () => {}",
        "const f = () => { globalThis.assert = () => {}; return 7 }",
        "const f = () => { console.assert = () => {}; return 7 }",
        "function f() { f.caller.arguments[0] = f.caller.arguments[1] = () => {}; return 7 }",
        "const f = () => 7\nmodule.exports = { assert() {}, f }",
        "const f = () => 7\nObject.defineProperty(globalThis, 'assert', { get: () => () => {} })",
        "const f = () => 7\nconst { Module } = require('module')\nModule.wrap = () => ''",
        "const f = () => { throw new (require('assert').AssertionError)({}) }",
    ],
)
@pytest.mark.parametrize("claim", ["assert(f(1) === 2)", "console.assert(f(1) === 2)"])
def test_javascript_does_not_replace_the_suite_s_assert(bubblewrap, source, claim):
    step = javascript(bubblewrap, source, f"{claim}\n{claim}")
    assert verdict_of(step).outcome is Outcome.FAILED


@pytest.mark.needs_node
def test_javascript_does_not_stop_the_count_between_two_checks(bubblewrap):
    source = "const f = () => { console.assert = globalThis.assert = () => {}; return 2 }"
    suite = "console.assert(f() === 2); console.assert(f() === 3)"
    assert verdict_of(javascript(bubblewrap, source, suite)).outcome is Outcome.FAILED


@pytest.mark.needs_node
def test_javascript_cannot_start_a_program_outside(bubblewrap):
    source = "const f = () => require('fs').readdirSync('/home').length"
    assert verdict_of(javascript(bubblewrap, source, "assert(f())")).outcome is Outcome.ERROR


# ---------------------------------------------------------------- SQL

SCHEMA = "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL);"


def sql(sandbox, query, schema=SCHEMA, max_rows=10):
    request = {"schema": schema, "query": query, "max_rows": max_rows}
    return sandbox.run(
        Program("sql", (Step("predicted", "sqlite/query.py", request),)), LIMITS
    ).steps[0]


def test_a_query_reports_typed_rows(bubblewrap):
    detail = sql(
        bubblewrap, "SELECT a, b, a * 0.5 AS half, x'ff' AS raw, 9e999 AS big FROM t"
    ).report.detail
    assert detail["columns"] == ["a", "b", "half", "raw", "big"]
    bytes_, infinity = {"bytes": "ff"}, {"float": "inf"}
    assert detail["rows"] == [[1, "x", 0.5, bytes_, infinity], [2, None, 1.0, bytes_, infinity]]
    assert detail["truncated"] is False


def test_rows_beyond_the_limit_are_cut_and_said(bubblewrap):
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c"
    detail = sql(bubblewrap, endless, max_rows=3).report.detail
    assert detail["rows"] == [[1], [2], [3]]
    assert detail["truncated"] is True


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM t",
        "DROP TABLE t",
        "UPDATE t SET a = 0",
        "INSERT INTO t VALUES (3, 'z')",
        "CREATE TEMP TABLE u AS SELECT 1",
        "ATTACH 'other' AS other",
        "VACUUM INTO 'other'",
        "PRAGMA writable_schema = 1",
        "SELECT * FROM pragma_table_info('t')",
        "SELECT load_extension('x')",
        "SELECT 1; SELECT 2",
        "SELECT zeroblob(1000000000)",
        "SELECT nothing FROM t",
        "not sql",
        "",
    ],
)
def test_anything_but_one_reading_statement_is_an_error(bubblewrap, query):
    assert verdict_of(sql(bubblewrap, query)).outcome is Outcome.ERROR


def test_an_endless_query_times_out(bubblewrap):
    endless = (
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
    )
    assert verdict_of(sql(bubblewrap, endless)).outcome is Outcome.TIMEOUT


# ---------------------------------------------------------------- faults of ours


@pytest.mark.parametrize("in_process", [False, True])
def test_a_suite_that_is_no_python_gives_no_verdict(bubblewrap, in_process):
    with pytest.raises(SandboxError, match="SyntaxError"):
        bubblewrap.run(suite_program(ADD_ONE, "check(", in_process=in_process), LIMITS)


@pytest.mark.needs_node
def test_a_suite_that_is_no_javascript_gives_no_verdict(bubblewrap):
    with pytest.raises(SandboxError, match="SyntaxError"):
        javascript(bubblewrap, "const f = () => 1", "assert(")


def test_a_database_that_cannot_be_made_gives_no_verdict(bubblewrap):
    with pytest.raises(SandboxError, match="OperationalError"):
        sql(bubblewrap, "SELECT 1", schema="CREATE TABLE")


def test_a_compiler_that_does_not_start_is_no_compile_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    compiled = runner_module("compiled")
    job = compiled.Job({"source": "", "suite": ""}, {"wall_s": 3.0})
    with pytest.raises(compiled.FaultError, match="No such file"):
        job.compile(["/nowhere/compiler"])
