"""The records that pass between tasks and engines, and the Task value that a plugin is.

Nothing here trains, generates or executes; nothing here imports torch, docker or a sandbox. A
plugin says what to learn from, what to ask, what to run and what counts. Engines do the effects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from pydantic import ConfigDict, JsonValue

__all__ = [
    "Example",
    "Execution",
    "JsonValue",
    "Limits",
    "Metric",
    "Outcome",
    "Problem",
    "Program",
    "Prompt",
    "Report",
    "Source",
    "Step",
    "StepResult",
    "Task",
    "Verdict",
]


# ---------------------------------------------------------------- what to learn from, what to ask


@dataclass(frozen=True)
class Example:
    """One supervised pair. Only the completion is supervised."""

    id: str
    prompt: str
    completion: str


@dataclass(frozen=True)
class Problem:
    """One question. The gold completion must pass the problem's own judge."""

    id: str
    prompt: str
    gold: str
    facts: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """One named data set, with what a paper must say about it.

    ``train`` and ``problems`` are called lazily and give the same rows in the same order each time.
    ``fingerprint`` identifies their content: a file's digest, or a generator's version, options.
    ``prompt`` and ``metrics`` replace the task's own where a source asks or is scored in its own
    way; the fingerprint covers the prompt.
    """

    name: str
    licence: str
    citation: str
    train: Callable[[], Iterable[Example]]
    problems: Callable[[], Iterable[Problem]]
    fingerprint: Callable[[], str]
    synthetic: bool = False
    notes: str = ""
    version: str = ""
    prompt: Prompt | None = None
    metrics: tuple[Metric, ...] = ()


@dataclass(frozen=True)
class Prompt:
    """How a task asks: a template with one ``{prompt}`` field, and where an answer ends."""

    template: str = "{prompt}"
    stop: tuple[str, ...] = ()
    max_new_tokens: int = 512

    def render(self, prompt: str) -> str:
        """Put the example's or problem's own prompt into the template (braces in it are safe)."""
        head, _, tail = self.template.partition("{prompt}")
        return head + prompt + tail


# ---------------------------------------------------------------- what to run


@dataclass(frozen=True)
class Limits:
    """What one step may use. Times are seconds."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    wall_s: float = 10.0
    cpu_s: float = 10.0
    memory_mb: int = 512
    output_bytes: int = 4_000_000
    processes: int = 64
    files_mb: int = 64


@dataclass(frozen=True)
class Step:
    """One process: a runner from ``sandbox/``, started in an empty work directory.

    ``runner`` is a path under ``sandbox/`` ("python/check.py"). ``request`` is what the runner gets
    as JSON over its standard input; the program's texts travel in it, never in argv. ``peer`` is a
    second process under another identity that sees nothing of this step, joined to it by pipes.

    The step's own process is the one that proves: it alone gets the per-run nonce, and its report
    counts only with that nonce. So what judges goes into the step and what is judged into the peer,
    except where ``in_process`` says that both share one process. A program ends at the first
    ``required`` step that does not pass.
    """

    name: str
    runner: str
    request: Mapping[str, JsonValue] = field(default_factory=dict)
    peer: Step | None = None
    in_process: bool = False
    required: bool = True


@dataclass(frozen=True)
class Program:
    """What to run for one completion: steps in order, up to the first required one that fails."""

    language: str
    steps: tuple[Step, ...]
    limits: Limits | None = None


@dataclass(frozen=True)
class Report:
    """What a step's trusted process said, proved by its nonce. ``detail`` is the runner's own."""

    outcome: Outcome
    checks: int = 0
    expected_checks: int = 0
    message: str = ""
    detail: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class StepResult:
    """What happened to one step. ``exit_code`` is None if a limit or a signal ended it.

    ``stdout`` and ``stderr`` are head and tail, decoded with replacement; ``dropped_bytes`` counts
    the rest. ``report`` is None where the proof is missing.
    """

    name: str
    exit_code: int | None
    stdout: str = ""
    stderr: str = ""
    dropped_bytes: int = 0
    signal: int | None = None
    limit: Literal["timeout", "out_of_memory", "output_limit"] | None = None
    report: Report | None = None
    in_process: bool = False


@dataclass(frozen=True)
class Execution:
    """The results of a program's steps, in order; shorter than the program if it ended early."""

    steps: tuple[StepResult, ...]


# ---------------------------------------------------------------- what counts


class Outcome(StrEnum):
    """The closed set of verdicts. Infrastructure failure is not among them: it is an exception."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_LIMIT = "output_limit"
    COMPILE_ERROR = "compile_error"
    EARLY_EXIT = "early_exit"
    NO_CODE = "no_code"
    NO_TESTS = "no_tests"


@dataclass(frozen=True)
class Verdict:
    """What one completion is worth. ``scores`` holds the task's non-binary metrics, 0 to 1."""

    outcome: Outcome
    reason: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    in_process: bool = False

    @property
    def passed(self) -> bool:
        """Say whether the completion passed."""
        return self.outcome is Outcome.PASSED


@dataclass(frozen=True)
class Metric:
    """One column: ``pass`` counts passed samples by pass@k, ``mean`` averages ``scores[name]``."""

    name: str
    kind: Literal["pass", "mean"] = "pass"


@dataclass(frozen=True, kw_only=True)
class Task:
    """A plugin: data, prompt template, program, judge. A value; every function in it is pure.

    ``sources`` maps a name to a factory whose keyword arguments are its options. ``program`` is
    total: it never raises on a bad completion, it answers with a verdict instead of a program. Bump
    ``version`` when any prompt changes for the same input: models are then trained anew. Bump
    ``program_version`` when only programs change, ``judge_version`` when only verdicts do.
    ``judge`` raises SandboxError where what failed is not the completion's, such as a gold beside
    it: the item is missing then.
    """

    name: str
    version: int
    summary: str
    sources: Mapping[str, Callable[..., Source]]
    program: Callable[[Problem, str], Program | Verdict]
    judge: Callable[[Problem, Execution], Verdict]
    prompt: Prompt = field(default_factory=Prompt)
    metrics: tuple[Metric, ...] = (Metric("pass"),)
    program_version: int = 1
    judge_version: int = 1
