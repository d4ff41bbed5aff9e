"""Text-to-SQL: table definitions and a question to one SELECT, judged by what it returns."""

from dataclasses import replace

from mftbench.contract import (
    Execution,
    JsonValue,
    Outcome,
    Problem,
    Program,
    Prompt,
    Step,
    Task,
    Verdict,
)
from mftbench.errors import SandboxError
from mftbench.extraction import SQL, extract
from mftbench.sandbox.verdict import verdict_of
from mftbench.sources.spider import spider
from mftbench.sources.starter import starter_queries
from mftbench.starter.suite import QueryItem
from mftbench.suites import no_code

from .matching import text_scores
from .result import Result, first_statement, query_of
from .rules import RULES

MAX_ROWS = 10_000
DATABASE = ("schema", "database")  # a text that makes it, or the file itself


def ask(item: QueryItem) -> str:
    """Show the tables and the question."""
    return f"{item.tables}\n-- {item.question}"


def answer(item: QueryItem) -> str:
    """Give the query, without a semicolon."""
    return item.query


def facts(item: QueryItem) -> dict[str, JsonValue]:
    """Keep the tables with their rows, and the gold query."""
    return {"schema": item.schema, "query": item.query}


def program(problem: Problem, completion: str) -> Program | Verdict:
    """Run the gold and the predicted query, each on a fresh database."""
    predicted = predicted_query(completion)
    if not predicted:
        return no_code()
    queries = {"gold": problem.facts["query"], "predicted": predicted}
    database = {name: problem.facts[name] for name in DATABASE if name in problem.facts}
    steps = [
        Step(name, "sqlite/query.py", {"query": query, "max_rows": MAX_ROWS, **database})
        for name, query in queries.items()
    ]
    return Program("sql", tuple(steps))


def predicted_query(completion: str) -> str:
    """Take the first statement of a completion."""
    return first_statement(extract(completion, SQL))


def judge(problem: Problem, execution: Execution) -> Verdict:
    """Compare the rows by the problem's rule; where it has a schema, score the others as well.

    Raises SandboxError if the gold query did not run, which is not the answer's fault.
    """
    first, last = execution.steps[0], execution.steps[-1]
    if not (ran := verdict_of(first)).passed:
        raise SandboxError(f"gold query of {problem.id}: {ran.outcome}: {ran.reason}")
    scores = text_scores(problem, query_of(last)) if "columns" in problem.facts else {}
    if not verdict_of(last).passed:
        return replace(verdict_of(last), scores=scores)
    gold, predicted = map(Result.of, execution.steps)
    query = str(problem.facts["query"])
    faults = {name: rule(gold, predicted, query) for name, rule in RULES.items()}
    fault = faults[str(problem.facts.get("rule", "strict"))]
    if scores:
        scores |= {name: float(not each) for name, each in faults.items()}
    return Verdict(Outcome.FAILED if fault else Outcome.PASSED, fault, scores)


TASK = Task(
    name="sql",
    version=1,
    summary="table definitions and a question to one SELECT, judged by what it returns",
    sources={
        "starter": starter_queries("sql", ask=ask, answer=answer, facts=facts),
        "spider": spider,
    },
    prompt=Prompt(template="{prompt}\n", stop=(";", "\n\n", "\n--"), max_new_tokens=256),
    program=program,
    judge=judge,
    program_version=2,
    judge_version=2,
)
