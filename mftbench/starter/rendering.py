"""Renders a composition as Python, JavaScript and English."""

from __future__ import annotations

from random import Random

from mftbench.starter.grammar import Composition, Stage


def signature(composition: Composition, name: str, parameter: str) -> str:
    """Write the typed Python header of a composition's function."""
    return f"def {name}({parameter}: {composition.source.value}) -> {composition.result.value}:"


def python(composition: Composition, name: str, parameter: str) -> str:
    """Write a composition as a Python function."""
    lines = _statements(composition.stages, parameter, javascript=False)
    return "\n".join([signature(composition, name, parameter), *(f"    {line}" for line in lines)])


def javascript(composition: Composition, name: str, parameter: str) -> str:
    """Write a composition as a JavaScript function of the same meaning."""
    lines = _statements(composition.stages, parameter, javascript=True)
    body = "\n".join(f"  {line};" for line in lines)
    return f"function {name}({parameter}) {{\n{body}\n}}"


def clauses(composition: Composition, rng: Random) -> list[str]:
    """Say each stage in English; the last one starts with "return"."""
    said = [stage.fill(rng.choice(stage.operation.phrases), "") for stage in composition.stages]
    if not composition.stages[-1].operation.answers:
        said.append("return the result")
    return said


def english(composition: Composition, name: str, parameter: str, rng: Random) -> str:
    """Describe a function in one sentence that also gives its name and parameter."""
    *steps, answer = clauses(composition, rng)
    return f"Write {name}({parameter}): {', then '.join(steps)}, and {answer}."


def docstring(composition: Composition, rng: Random) -> str:
    """Describe a function as a docstring does: one short clause for each stage."""
    return f"{'; '.join(clauses(composition, rng))}."


def _statements(stages: tuple[Stage, ...], parameter: str, *, javascript: bool) -> list[str]:
    """Write one assignment a stage, and a return; values go by the parameter, then ``result``."""
    lines: list[str] = []
    value = parameter
    for position, stage in enumerate(stages):
        operation = stage.operation
        expression = stage.fill(operation.javascript if javascript else operation.python, value)
        if position == len(stages) - 1:
            lines.append(f"return {expression}")
        else:
            declare = "let " if javascript and value == parameter else ""
            lines.append(f"{declare}result = {expression}")
        value = "result"
    return lines
