"""The conformance check of tasks: what can be proved of a plugin and its data without a model."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from mftbench.contract import Limits, Outcome, Problem, Program, Source, Task, Verdict
from mftbench.errors import SandboxError, boundary
from mftbench.pipeline.judging import judged
from mftbench.sandbox.backend import Sandbox
from mftbench.sources.overlap import find_overlap
from mftbench.testing.garbage import garbage

__all__ = ["Finding", "TaskReport", "check_task"]

# How a program of each language is left early, and how it never ends.
EARLY_EXITS = {"python": "import os\nos._exit(0)\n", "javascript": "process.exit(0);\n"}
ENDLESS = {
    "python": "while True:\n    pass\n",
    "javascript": "while (true) {}\n",
    "sql": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n",
}
PROBES = 3  # problems on which a bad completion is tried
ENDLESS_S = 2.0


@dataclass(frozen=True)
class Finding:
    """One claim about a task. ``holds`` is None where it cannot be shown here."""

    claim: str
    holds: bool | None
    detail: str = ""


@dataclass(frozen=True)
class TaskReport:
    """What was found of one task on one source; ``in_process`` counts golds judged that way."""

    task: str
    source: str
    findings: tuple[Finding, ...]
    golds: int
    in_process: int

    @property
    def holds(self) -> bool:
        """Say whether no claim was refuted."""
        return all(finding.holds is not False for finding in self.findings)


def check_task(
    task: Task,
    sandbox: Sandbox,
    source: Source,
    *,
    limit: int = 0,
    limits: Limits | None = None,
    workers: int = 0,
) -> TaskReport:
    """Check a task on one source: its data, its ``program``, and its verdicts in a real sandbox.

    ``limit`` checks only so many golds; 0 means all. Raises PluginError if the plugin raises.
    """
    with boundary(f"task {task.name}", f"source {source.name}"):
        problems = list(source.problems())
    trial = _Trial(task, sandbox, limits or Limits(), workers or os.cpu_count() or 1)
    golds = trial.run([(problem, problem.gold) for problem in problems[: limit or None]])
    probes = problems[:PROBES]
    findings = (
        _ids(source, problems),
        _no_leak(source, problems),
        _total(task, probes),
        _golds_pass(golds),
        _fails(trial, probes, "the empty completion fails", ""),
        *_by_language(trial, probes),
    )
    in_process = sum(isinstance(item, Verdict) and item.in_process for item in golds.values())
    return TaskReport(task.name, source.name, findings, len(golds), in_process)


Answer = tuple[Problem, str]
Results = dict[str, Verdict | SandboxError]


@dataclass(frozen=True)
class _Trial:
    task: Task
    sandbox: Sandbox
    limits: Limits
    workers: int
    languages: set[str] = field(default_factory=set)

    def run(self, answers: Sequence[Answer]) -> Results:
        """Give the verdict on each answer by problem id, or why the sandbox could not tell."""
        from mftbench.sandbox.pool import Job, run_all

        results: Results = {}
        jobs: list[Job] = []
        for problem, completion in answers:
            program = self.program(problem, completion)
            if isinstance(program, Program):
                jobs.append(Job(problem.id, program))
            else:
                results[problem.id] = program
        by_id = {problem.id: problem for problem, _ in answers}
        for key, done in run_all(self.sandbox, jobs, self.limits, self.workers):
            if isinstance(done, SandboxError):
                results[key] = done
            else:
                results[key] = judged(self.task, by_id[key], done)
        return results

    def program(self, problem: Problem, completion: str) -> Program | Verdict:
        """Ask the task for the program of a completion, and note its language."""
        with boundary(f"task {self.task.name}", "program", problem.id):
            program = self.task.program(problem, completion)
        if isinstance(program, Program):
            self.languages.add(program.language)
        return program


def _ids(source: Source, problems: Sequence[Problem]) -> Finding:
    claim = "problem ids are unique, and the rows the same at every load"
    ids = [problem.id for problem in problems]
    twice = [key for key, count in Counter(ids).items() if count > 1]
    if twice:
        return Finding(claim, False, f"more than once: {_few(twice)}")
    if list(source.problems()) != list(problems):
        return Finding(claim, False, "a second load gave other rows")
    return Finding(claim, bool(ids), f"{len(ids)} problems")


def _no_leak(source: Source, problems: Sequence[Problem]) -> Finding:
    claim = "no training row is a problem"
    overlap = find_overlap(source.train(), problems)
    if not overlap.train:
        return Finding(claim, None, "the source has no training rows")
    if overlap.leaks:
        pairs = [f"{row} = {problem}" for row, problem in overlap.leaks]
        return Finding(claim, False, f"{len(pairs)} are: {_few(pairs)}")
    shared = f"{overlap.ngram} of {overlap.train} answers share 13 tokens with a gold"
    return Finding(claim, True, shared)


def _total(task: Task, problems: Sequence[Problem]) -> Finding:
    claim = "program() answers any completion, and always alike"
    for problem in problems:
        for name, completion in garbage(problem):
            try:
                first, second = task.program(problem, completion), task.program(problem, completion)
            except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
                return Finding(claim, False, f"{type(error).__name__} on {name}: {error}")
            if first != second:
                return Finding(claim, False, f"two different programs for {name}")
    return Finding(claim, True)


def _golds_pass(golds: Results) -> Finding:
    claim = "every gold passes"
    missing = [item for item in golds.values() if isinstance(item, SandboxError)]
    wrong = [
        f"{key} {item.outcome}{': ' if item.reason else ''}{item.reason}"
        for key, item in golds.items()
        if isinstance(item, Verdict) and not item.passed
    ]
    if wrong:
        return Finding(claim, False, f"{len(wrong)} of {len(golds)} do not: {_few(wrong)}")
    if missing:
        return Finding(claim, None, f"{len(missing)} could not be run: {missing[0]}")
    return Finding(claim, True, f"{len(golds)} of {len(golds)}")


def _by_language(trial: _Trial, problems: Sequence[Problem]) -> Iterator[Finding]:
    for language in sorted(trial.languages):
        if language in EARLY_EXITS:
            yield _fails(trial, problems, "leaving early fails", EARLY_EXITS[language])
        if language in ENDLESS:
            yield _times_out(trial, problems, ENDLESS[language])


def _fails(trial: _Trial, problems: Sequence[Problem], claim: str, completion: str) -> Finding:
    return _all(trial, problems, completion, claim, lambda verdict: not verdict.passed)


def _times_out(trial: _Trial, problems: Sequence[Problem], completion: str) -> Finding:
    quick = replace(trial.limits, wall_s=ENDLESS_S, cpu_s=ENDLESS_S)
    return _all(
        replace(trial, limits=quick),
        problems,
        completion,
        "an endless loop times out",
        lambda verdict: verdict.outcome is Outcome.TIMEOUT,
    )


def _all(
    trial: _Trial,
    problems: Sequence[Problem],
    completion: str,
    claim: str,
    right: Callable[[Verdict], bool],
) -> Finding:
    results = trial.run([(problem, completion) for problem in problems])
    for key, item in results.items():
        if isinstance(item, SandboxError):
            return Finding(claim, None, f"could not be run: {item}")
        if not right(item):
            return Finding(claim, False, f"{key}: {item.outcome}")
    outcomes = {str(item.outcome) for item in results.values() if isinstance(item, Verdict)}
    return Finding(claim, True, ", ".join(sorted(outcomes)))


def _few(items: Sequence[str]) -> str:
    shown = "; ".join(items[:5])
    return f"{shown}; and {len(items) - 5} more" if len(items) > 5 else shown
