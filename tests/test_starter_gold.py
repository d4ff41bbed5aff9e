"""Runs every rendering of the suite's own, trusted items: in this process, in node, in SQLite."""

import json
import shutil
import sqlite3
import subprocess

import pytest

from mftbench.starter.suite import DIFFICULTIES, programs, queries

every_difficulty = pytest.mark.parametrize("difficulty", DIFFICULTIES)


def items(difficulty, split="test", count=120):
    return list(programs(split, count, difficulty=difficulty, seed=7, task="gold"))


def call(source, name, case):
    namespace = {}
    exec(source, namespace)
    return namespace[name](*json.loads(json.dumps(case.args)))


@every_difficulty
def test_python_gives_every_expected_value(difficulty):
    for item in items(difficulty):
        for case in item.cases:
            result = call(item.python, item.name, case)
            assert (result, type(result)) == (case.expected, type(case.expected))


@every_difficulty
def test_decisive_cases_kill_every_mutant(difficulty):
    for item in items(difficulty):
        for mutant in item.mutants:
            assert any(call(mutant, item.name, case) != case.expected for case in item.decisive)


@every_difficulty
def test_cases_expect_more_than_one_value(difficulty):
    for item in items(difficulty):
        assert len({json.dumps(case.expected) for case in item.cases}) > 1


@pytest.mark.needs_node
@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@every_difficulty
def test_javascript_gives_every_expected_value(difficulty):
    suite = [*items(difficulty), *items(difficulty, "train", 200)]
    calls = [
        f"[{json.dumps(item.id)}, (() => {{ {item.javascript}\nreturn {json.dumps(case.args)}"
        f".map(x => {item.name}(x))[0]; }})()]"
        for item in suite
        for case in item.cases
    ]
    script = f"console.log(JSON.stringify([{','.join(calls)}]))"
    done = subprocess.run(["node", "-"], input=script, capture_output=True, text=True, check=True)
    expected = [[item.id, case.expected] for item in suite for case in item.cases]
    assert json.loads(done.stdout) == expected


def rows(schema, query):
    with sqlite3.connect(":memory:") as database:
        database.executescript(schema)
        found = database.execute(query).fetchall()
    database.close()
    return found


@every_difficulty
def test_every_query_gives_rows_on_its_own_schema(difficulty):
    for item in queries("test", 120, difficulty=difficulty, seed=7):
        assert rows(item.schema, item.query)


@every_difficulty
def test_ordered_queries_have_no_ties(difficulty):
    for item in queries("test", 120, difficulty=difficulty, seed=7):
        head, _, order = item.query.partition(" ORDER BY ")
        if not order:
            continue
        key = order.split(" LIMIT ")[0]
        reverse = key.removesuffix(" DESC") if key.endswith(" DESC") else f"{key} DESC"
        rising, falling = (rows(item.schema, f"{head} ORDER BY {k}") for k in (key, reverse))
        assert rising == falling[::-1]


def test_tables_are_the_create_statements():
    for item in queries("test", 20, difficulty=3, seed=7):
        lines = item.tables.splitlines()
        assert lines == item.schema.splitlines()[: len(lines)]
        assert all(line.startswith("CREATE TABLE ") for line in lines)
