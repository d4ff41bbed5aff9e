"""EvalPlus problems (HumanEval+, MBPP+): inputs, a reference for the expected values, oracles.

A program has two steps, ``base`` (the original benchmark's inputs) and ``plus`` (the added ones);
a completion counts for the plus benchmark only if it passes both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mftbench.contract import Execution, JsonValue, Limits, Outcome, Problem, Program, Step, Verdict
from mftbench.sandbox.verdict import verdict_of
from mftbench.suites import no_code

__all__ = ["PLUS_LIMITS", "PlusSuite", "judge_plus", "plus_program", "typed"]

_EXACT = 1 << 53
# The memory is EvalPlus's own limit: some inputs have results of millions of parts.
PLUS_LIMITS = Limits(wall_s=20.0, cpu_s=20.0, memory_mb=4096)


@dataclass(frozen=True)
class PlusSuite:
    """The inputs of one problem: lists of arguments, of Python values.

    ``reference`` is a whole program that defines ``entry_point``; ``atol`` the tolerance that
    upstream gives; ``family`` says whose special cases of comparison hold.
    """

    reference: str
    entry_point: str
    base: Sequence[Sequence[Any]]
    plus: Sequence[Sequence[Any]]
    atol: float
    family: Literal["humaneval", "mbpp"]

    def facts(self) -> dict[str, JsonValue]:
        """Write the suite as facts of a problem; inputs in the sandbox's typed form.

        Raises TypeError for an input that has no such form.
        """
        return {
            "reference": self.reference,
            "entry_points": [self.entry_point],
            "base": [typed(list(arguments)) for arguments in self.base],
            "plus": [typed(list(arguments)) for arguments in self.plus],
            "atol": self.atol,
            "oracle": f"{self.family}/{self.entry_point}",
        }


def plus_program(problem: Problem, source: str) -> Program | Verdict:
    """Compare source and reference on the base inputs, then on the added ones."""
    if not source.strip():
        return no_code()
    facts = problem.facts
    names: JsonValue = facts["entry_points"]
    assert isinstance(names, list)
    shared = {
        "entry_point": names[0],
        **{key: facts[key] for key in ("reference", "atol", "oracle")},
    }

    def step(name: str) -> Step:
        candidate = Step(
            "candidate", "python/candidate.py", {"source": source, "entry_points": names}
        )
        return Step(name, "python/plus.py", {**shared, "inputs": facts[name]}, peer=candidate)

    steps = tuple(step(name) for name in ("base", "plus") if facts[name])
    return Program("python", steps, PLUS_LIMITS)


def judge_plus(problem: Problem, execution: Execution) -> Verdict:
    """Pass what passes all inputs; score 1 or 0 for the base inputs, and for all."""
    verdicts = {step.name: verdict_of(step) for step in execution.steps}
    last = list(verdicts.values())[-1]
    wanted = [name for name in ("base", "plus") if problem.facts[name]]
    passed = last.outcome is Outcome.PASSED and list(verdicts) == wanted
    base = verdicts.get("base", last)
    scores = {"base": float(base.passed), "plus": float(passed)}
    return Verdict(last.outcome, f"{list(verdicts)[-1]} {last.reason}".strip(), scores)


def typed(value: Any) -> JsonValue:
    """Write a Python value in the form that sandbox/python/wire.py reads.

    Raises TypeError for a value of any other type than those of EvalPlus inputs.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if -_EXACT < value < _EXACT else {"int": hex(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, complex):
        return {"complex": [typed(value.real), typed(value.imag)]}
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, tuple | set):
        return {type(value).__name__: [typed(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[typed(key) for key in value], [typed(item) for item in value.values()]]}
    raise TypeError(f"a value of type {type(value).__name__!r} is no input of EvalPlus")
