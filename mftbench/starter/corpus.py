"""Writes the nano model's pre-training text: the train split's grammar in formats no task uses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random

from pydantic import JsonValue

from mftbench.starter import rendering
from mftbench.starter.composing import compose, evaluate
from mftbench.starter.grammar import Composition, Stage, split_of
from mftbench.starter.querying import draw_select
from mftbench.starter.select import Select
from mftbench.starter.tables import Table
from mftbench.starter.values import FUNCTIONS, PARAMETERS, draw

_DIFFICULTIES = (1, 1, 2, 2, 3)
_SQL_SHARE = 0.22
_TWICE_SHARE = 0.1


def documents(seed: int) -> Iterator[str]:
    """Draw documents without end: sessions, annotated scripts, traces, glossaries, tables.

    A share of them is written twice in a row: a small model learns to copy names from its context
    early from that, and hardly at all without.
    """
    rng = Random(f"mftbench/corpus/{seed}")
    while True:
        text = _document(rng)
        if text is not None:
            yield f"{text}\n{text}" if rng.random() < _TWICE_SHARE else text


def _document(rng: Random) -> str | None:
    difficulty = rng.choice(_DIFFICULTIES)
    if rng.random() < _SQL_SHARE:
        select = draw_select(difficulty, "train", rng)
        return rng.choice(_QUERY_FORMATS)(select, rng) if select else None
    composition = compose(difficulty, rng)
    if split_of(composition.structure) != "train":
        return None
    try:
        return rng.choice(_PROGRAM_FORMATS)(composition, rng)
    except ValueError:  # a value grew beyond what a document should show
        return None


def _parameter(composition: Composition, rng: Random) -> str:
    return rng.choice(PARAMETERS[composition.source])


def _session(composition: Composition, rng: Random) -> str:
    """Show every stage's Python and its value at an interactive prompt."""
    name, value = _parameter(composition, rng), draw(composition.source, rng)
    lines = [f">>> {name} = {value!r}"]
    for stage in composition.stages:
        lines.append(f">>> {stage.fill(stage.operation.python, name)}")
        value = evaluate((stage,), value)
        lines.append(repr(value))
        name = "_"
    return "\n".join(lines)


def _annotated_script(composition: Composition, rng: Random) -> str:
    return _annotated(composition, rng, "#", lambda stage: stage.operation.python)


def _annotated_node_script(composition: Composition, rng: Random) -> str:
    return _annotated(composition, rng, "//", lambda stage: stage.operation.javascript)


def _annotated(
    composition: Composition, rng: Random, mark: str, template: Callable[[Stage], str]
) -> str:
    """Write one assignment a stage, with what it does in a comment above it."""
    name, lines = _parameter(composition, rng), []
    for stage in composition.stages:
        said = stage.fill(rng.choice(stage.operation.phrases), "")
        lines += [f"{mark} {said}", f"out = {stage.fill(template(stage), name)}"]
        name = "out"
    return "\n".join(lines)


def _planned(composition: Composition, rng: Random) -> str:
    return _plan(composition, rng, lambda stage: stage.operation.python)


def _planned_for_node(composition: Composition, rng: Random) -> str:
    return _plan(composition, rng, lambda stage: stage.operation.javascript)


def _plan(composition: Composition, rng: Random, template: Callable[[Stage], str]) -> str:
    """Number the steps in English, then the same steps as expressions."""
    name, said, done = _parameter(composition, rng), ["plan"], ["done"]
    for number, stage in enumerate(composition.stages, start=1):
        said.append(f"{number} {stage.fill(rng.choice(stage.operation.phrases), '')}")
        done.append(f"{number} {stage.fill(template(stage), name)}")
        name = "it"
    return "\n".join(said + done)


def _printed(composition: Composition, rng: Random) -> str:
    """Define a Python function and print some calls of it."""
    name, parameter = rng.choice(FUNCTIONS), _parameter(composition, rng)
    lines = [rendering.python(composition, name, parameter), ""]
    for value in _inputs(composition, rng):
        lines.append(f"print({name}({value!r}))  # {evaluate(composition.stages, value)!r}")
    return "\n".join(lines)


def _logged(composition: Composition, rng: Random) -> str:
    """Define a JavaScript function and log some calls of it."""
    name, parameter = rng.choice(FUNCTIONS), _parameter(composition, rng)
    lines = [rendering.javascript(composition, name, parameter), ""]
    for value in _inputs(composition, rng):
        shown = json.dumps(evaluate(composition.stages, value))
        lines.append(f"console.log({name}({json.dumps(value)})); // {shown}")
    return "\n".join(lines)


def _inputs(composition: Composition, rng: Random) -> list[JsonValue]:
    return [draw(composition.source, rng) for _ in range(3)]


def _glossary(composition: Composition, rng: Random) -> str:
    """Put the two languages' expressions for each stage side by side."""
    lines = []
    for stage in composition.stages:
        value = rng.choice((*PARAMETERS[stage.operation.takes], "result"))
        python = stage.fill(stage.operation.python, value)
        lines.append(f"{python}  ~  {stage.fill(stage.operation.javascript, value)}")
    return "\n".join(lines)


def _shown_table(table: Table) -> list[str]:
    """Write some rows of a table with bars between the columns."""
    rows = [table.columns, *table.rows[:2]]
    return [f"[{table.name}]", *(" | ".join(map(str, row)) for row in rows)]


def _table_and_query(select: Select, rng: Random) -> str:
    return "\n".join([*_shown_table(select.table), f"sqlite> {select.sql()};"])


def _schema_and_query(select: Select, rng: Random) -> str:
    lines = select.table.schema(with_lookup=select.join).splitlines()
    creates = [line for line in lines if line.startswith("CREATE")]
    return "\n".join([f"sqlite> {select.sql()};", "sqlite> .schema", *creates])


def _asked(select: Select, rng: Random) -> str:
    """Show a table, ask, and answer at a prompt."""
    return "\n".join([*_shown_table(select.table), select.english(), f"sqlite> {select.sql()}"])


def _annotated_query(select: Select, rng: Random) -> str:
    """Put each clause's SQL beside its English."""
    clauses = [select.projection, *select.conditions, select.having, select.order]
    pairs = [f"-- {clause.english}\n{clause.sql}" for clause in clauses if clause]
    return "\n".join([f"from {select.table.name}", *pairs])


_PROGRAM_FORMATS: tuple[Callable[[Composition, Random], str], ...] = (
    _session,
    _annotated_script,
    _annotated_node_script,
    _planned,
    _planned,
    _planned_for_node,
    _printed,
    _printed,
    _logged,
    _glossary,
    _glossary,
)
_QUERY_FORMATS: tuple[Callable[[Select, Random], str], ...] = (
    _table_and_query,
    _schema_and_query,
    _annotated_query,
    _asked,
    _asked,
)
