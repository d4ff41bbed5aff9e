"""Text-to-SQL: the strict comparison of results."""

from __future__ import annotations

import sys

import pytest

from mftbench.contract import Execution, Limits, Outcome, Problem, Report, StepResult
from mftbench.errors import SandboxError
from mftbench.plugins import load_task
from mftbench.sandbox.calibration import Gold, GoldTimes, run_calibrated

TASK = load_task("sql")
RESULT = sys.modules["mftbench.tasks.sql.result"]


def step(name: str, rows: list[list[object]], width: int = 1, truncated: bool = False):
    columns = [f"c{number}" for number in range(width)]
    detail = {"columns": columns, "rows": rows, "truncated": truncated}
    return StepResult(name, 0, report=Report(Outcome.PASSED, 1, 1, detail=detail))


def judge(gold, predicted, query: str = "SELECT a FROM t"):
    problem = Problem("p", "", query, {"schema": "", "query": query})
    width = len(gold[0]) if gold else 1
    other = len(predicted[0]) if predicted else 1
    steps = (step("gold", gold, width), step("predicted", predicted, other))
    return TASK.judge(problem, Execution(steps))


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ([[1], [2]], [[2], [1]]),
        ([[1]], [[1.0]]),
        ([[None]], [[None]]),
        ([["a", 1]], [["a", 1]]),
        ([], []),
        ([[2**60]], [[2**60]]),
    ],
)
def test_equal_results_pass(gold, predicted):
    assert judge(gold, predicted).passed


@pytest.mark.parametrize(
    ("gold", "predicted", "reason"),
    [
        ([[1], [1]], [[1]], "1 rows, not 2"),
        ([[1], [1], [2]], [[1], [2], [2]], "other rows"),
        ([[1]], [["1"]], "other rows"),
        ([[1]], [[1, 1]], "2 columns, not 1"),
        ([["a", "b"]], [["b", "a"]], "other rows"),
        ([[None]], [[0]], "other rows"),
        ([["A"]], [["a"]], "other rows"),
        ([[2**60]], [[2**60 + 1]], "other rows"),
    ],
)
def test_different_results_fail_with_the_difference(gold, predicted, reason):
    verdict = judge(gold, predicted)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, reason)


def test_order_counts_where_the_gold_orders():
    query = "SELECT a FROM t ORDER BY a"
    assert judge([[1], [2]], [[2], [1]], query).reason == "right rows in the wrong order"


def test_truncated_results_are_never_equal():
    problem = Problem("p", "", "", {"query": "SELECT 1"})
    steps = (step("gold", [[1]], truncated=True), step("predicted", [[1]], truncated=True))
    assert not TASK.judge(problem, Execution(steps)).passed


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.ERROR])
def test_a_gold_that_did_not_run_is_no_verdict_on_the_answer(outcome):
    gold = StepResult("gold", 0, report=Report(outcome, message="interrupted"))
    with pytest.raises(SandboxError, match=f"gold query of p: {outcome}: interrupted"):
        TASK.judge(Problem("p", "", "", {"query": "SELECT 1"}), Execution((gold,)))


@pytest.mark.needs_bubblewrap
def test_a_slow_gold_gives_the_same_answer_the_time_that_it_needs(bubblewrap):
    counted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)"
    query = f"{counted} SELECT count(*) FROM n"
    problem = Problem("p", "", query, {"schema": "CREATE TABLE t (a)", "query": query})
    program, limits = TASK.program(problem, query), Limits(wall_s=0.6, cpu_s=0.6)
    gold = Gold("p", program)
    assert not passed(bubblewrap.run(program, limits))
    assert passed(run_calibrated(bubblewrap, program, limits, gold, GoldTimes()))


def passed(execution: Execution) -> bool:
    return [step.report and step.report.outcome for step in execution.steps] == ["passed"] * 2


@pytest.mark.parametrize(
    ("query", "ordered"),
    [
        ("SELECT a FROM t", False),
        ("SELECT a FROM t order  by a", True),
        ("SELECT a FROM (SELECT a FROM t ORDER BY a)", False),
        ("SELECT a FROM t WHERE b = 'ORDER BY'", False),
        ("SELECT a FROM t -- ORDER BY a", False),
        ("SELECT a FROM t WHERE a IN (SELECT b FROM u) ORDER BY a", True),
    ],
)
def test_an_order_by_of_the_query_itself_is_found(query, ordered):
    assert RESULT.is_ordered(query) is ordered


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("SELECT 1; SELECT 2", "SELECT 1"),
        ("SELECT ';'; DROP TABLE t", "SELECT ';'"),
        ("SELECT 1 -- no; end", "SELECT 1 -- no; end"),
        ("SELECT 'it''s;'", "SELECT 'it''s;'"),
        ("SELECT ';", "SELECT ';"),
        ("/* ; */ SELECT 1;", "/* ; */ SELECT 1"),
        (";", ""),
    ],
)
def test_of_several_statements_the_first_is_run(text, first):
    assert RESULT.first_statement(text) == first
