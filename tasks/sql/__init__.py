"""Text-to-SQL: table definitions and a question to one SELECT, judged by what it returns."""

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
from mftbench.extraction import SQL, extract
from mftbench.sandbox.verdict import verdict_of
from mftbench.sources.starter import starter_queries
from mftbench.starter.suite import QueryItem
from mftbench.suites import no_code

from .result import Result, difference, first_statement, is_ordered

MAX_ROWS = 10_000


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
    predicted = first_statement(extract(completion, SQL))
    if not predicted:
        return no_code()
    queries = {"gold": problem.facts["query"], "predicted": predicted}
    schema = {"schema": problem.facts["schema"], "max_rows": MAX_ROWS}
    steps = [
        Step(name, "sqlite/query.py", {"query": query, **schema}) for name, query in queries.items()
    ]
    return Program("sql", tuple(steps))


def judge(problem: Problem, execution: Execution) -> Verdict:
    """Compare the rows strictly: as multisets, or in order where the gold has an ORDER BY."""
    last = execution.steps[-1]
    if last.name != "predicted" or not verdict_of(last).passed:
        return verdict_of(last)
    gold, predicted = map(Result.of, execution.steps)
    fault = difference(gold, predicted, ordered=is_ordered(str(problem.facts["query"])))
    return Verdict(Outcome.FAILED, fault) if fault else Verdict(Outcome.PASSED)


TASK = Task(
    name="sql",
    version=1,
    summary="table definitions and a question to one SELECT, judged by what it returns",
    sources={"starter": starter_queries("sql", ask=ask, answer=answer, facts=facts)},
    prompt=Prompt(template="{prompt}\n", stop=(";", "\n\n", "\n--"), max_new_tokens=256),
    program=program,
    judge=judge,
)
