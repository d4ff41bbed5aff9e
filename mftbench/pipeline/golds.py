"""Run golds in the sandbox, each program once for good: its execution is kept by what made it.

Sources share programs (a translation's gold is a completion's), so one log serves them all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mftbench.canonical import digest
from mftbench.contract import Execution, Limits, Problem, Program, Task, Verdict
from mftbench.errors import SandboxError, boundary
from mftbench.itemlog import ItemLog, read_items
from mftbench.pipeline.execute import Executor
from mftbench.pipeline.judging import judged
from mftbench.progress import Progress
from mftbench.records import from_json, to_json
from mftbench.sandbox.calibration import longer
from mftbench.sandbox.pool import Job, Running, Watching, run_all
from mftbench.sandbox.runners import execution_digest

__all__ = ["GoldRun", "golds_family", "run_golds"]


@dataclass(frozen=True)
class GoldRun:
    """What became of a source's golds: a verdict each, or why the sandbox could not run it.

    ``ran`` counts the programs that were not kept from an earlier run.
    """

    verdicts: Mapping[str, Verdict]
    missing: Mapping[str, str]
    ran: int

    @property
    def passed(self) -> int:
        """Count the golds that pass their own judge."""
        return sum(verdict.passed for verdict in self.verdicts.values())

    @property
    def in_process(self) -> int:
        """Count the golds that were judged inside their own process."""
        return sum(verdict.in_process for verdict in self.verdicts.values())


def golds_family(executor: Executor) -> str:
    """Name the log of all executions under one sandbox, its images and one set of limits."""
    sandbox = executor.sandbox
    return digest([sandbox.name, execution_digest(sandbox.images()), to_json(executor.limits)])


def run_golds(
    task: Task, problems: Iterable[Problem], executor: Executor, log_file: Path, progress: Progress
) -> GoldRun:
    """Judge every problem's gold; run those programs that ``log_file`` has no execution of.

    Only what passes is kept: a gold that fails may have met a busy machine, so it is run each time.
    Raises PluginError if the task's ``program`` or ``judge`` raised.
    """
    by_id = {problem.id: problem for problem in problems}
    programs, same, verdicts = _programs(task, by_id)
    progress.start(f"golds {task.name}", len(by_id))
    progress.advance(len(verdicts))

    found: dict[str, Verdict | SandboxError] = {**verdicts}

    def passes(name: str, execution: Execution) -> bool:
        results = {problem: judged(task, by_id[problem], execution) for problem in same[name]}
        found.update(results)
        return all(isinstance(each, Verdict) and each.passed for each in results.values())

    todo = dict(programs)
    with ItemLog(log_file) as log:
        for name, line in _kept(log_file, programs).items():
            if passes(name, from_json(Execution, line["execution"])):
                del todo[name]
                progress.advance(len(same[name]))
        for name, done in _run(todo, same, executor, progress):
            if isinstance(done, SandboxError):
                found |= dict.fromkeys(same[name], done)
            elif passes(name, done):
                log.append({"program": name, "execution": to_json(done)})
            progress.advance(len(same[name]))
    progress.finish()
    verdicts = {name: each for name, each in found.items() if isinstance(each, Verdict)}
    missing = {name: str(each) for name, each in found.items() if isinstance(each, SandboxError)}
    return GoldRun(verdicts, missing, len(todo))


def _programs(
    task: Task, problems: Mapping[str, Problem]
) -> tuple[dict[str, Program], dict[str, list[str]], dict[str, Verdict]]:
    """Give the programs by digest, the problems of each, and verdicts where nothing is to run."""
    programs: dict[str, Program] = {}
    same: dict[str, list[str]] = defaultdict(list)
    verdicts: dict[str, Verdict] = {}
    for name, problem in problems.items():
        with boundary(f"task {task.name}", "program", name):
            made = task.program(problem, problem.gold)
        if isinstance(made, Verdict):
            verdicts[name] = made
        else:
            program = digest(made)
            programs[program] = made
            same[program].append(name)
    return programs, same, verdicts


def _kept(path: Path, programs: Mapping[str, Program]) -> dict[str, dict[str, Any]]:
    return {line["program"]: line for line in read_items(path) if line["program"] in programs}


def _run(
    todo: Mapping[str, Program],
    same: Mapping[str, list[str]],
    executor: Executor,
    progress: Progress,
) -> Iterable[tuple[str, Execution | SandboxError]]:
    running = Running()

    def tick() -> None:
        oldest = running.oldest()
        progress.advance(0, f"oldest: {same[oldest[0]][0]} {oldest[1]:.0f} s" if oldest else "")

    jobs = [Job(name, _patient(program, executor.limits)) for name, program in todo.items()]
    watching = Watching(running, tick)
    return run_all(executor.sandbox, jobs, executor.limits, executor.workers, watching=watching)


def _patient(program: Program, limits: Limits) -> Program:
    """Give a program that has limits of its own as much time as all others."""
    own = program.limits
    return program if own is None else replace(program, limits=longer(own, limits.wall_s))
