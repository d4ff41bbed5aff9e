"""The Execute stage: run every completion's program, resumable item by item.

Equal programs are run once and share their execution. A failure of the sandbox is no execution, nor
is one that the judge cannot lay to the answer: such items stay missing, the artifact is not
published, and the next run tries them again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mftbench.canonical import digest
from mftbench.contract import Execution, Limits, Outcome, Problem, Program, Task, Verdict
from mftbench.errors import PluginError, SandboxError, boundary
from mftbench.inference.engine import Completion
from mftbench.itemlog import ItemLog, read_items, read_log, write_items
from mftbench.pipeline.judging import judged
from mftbench.progress import Progress
from mftbench.records import from_json, to_json
from mftbench.sandbox.backend import Sandbox
from mftbench.sandbox.calibration import Gold, GoldTimes
from mftbench.sandbox.pool import Job, Running, Watching, run_all
from mftbench.store import Unfinished

EXECUTIONS = "executions.jsonl"

_TOO_LONG = Verdict(Outcome.NO_CODE, "the prompt fills the model's context: nothing was asked")


@dataclass(frozen=True)
class Executed:
    """One finished item: an execution to judge, or a verdict where there was nothing to run."""

    problem: str
    sample: int
    execution: Execution | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Executor:
    """A sandbox and how much of it one stage may use; ``times`` is what is known of golds in it."""

    sandbox: Sandbox
    limits: Limits
    workers: int
    times: GoldTimes = field(default_factory=GoldTimes)


def execute(
    task: Task,
    problems: Mapping[str, Problem],
    completions: Sequence[Completion],
    executor: Executor,
    out: Path,
    work: Path,
    progress: Progress,
) -> None:
    """Run what is missing, then write all executions sorted by item.

    Raises Unfinished if the sandbox failed on an item for good, PluginError if ``program`` raised.
    """
    with ItemLog(work / EXECUTIONS) as log:
        done = {(item["problem"], item["sample"]) for item in log}
        todo = [item for item in completions if (item.problem, item.sample) not in done]
        progress.start(f"execute {task.name}", len(completions))
        progress.advance(len(done))
        waiting = _programs(task, problems, todo, log, progress)
        failed = _run(task, problems, waiting, executor, log, progress)
        progress.finish(_shared(waiting))
        items = sorted(log, key=lambda item: (item["problem"], item["sample"]))
    if failed:
        raise Unfinished(f"{len(completions) - len(items)} items missing: {failed[0]}")
    write_items(out / EXECUTIONS, items)


def read_executed(folder: Path) -> list[Executed]:
    """Read the items of an Execute artifact."""
    return _executed(folder / EXECUTIONS, read_items)


def read_unfinished(work: Path) -> list[Executed]:
    """Read the items that a work folder has of an Execute artifact."""
    return _executed(work / EXECUTIONS, read_log)


def _executed(path: Path, read: Callable[[Path], Iterable[Mapping[str, Any]]]) -> list[Executed]:
    return [from_json(Executed, item) for item in read(path)] if path.exists() else []


def _programs(
    task: Task,
    problems: Mapping[str, Problem],
    completions: Sequence[Completion],
    log: ItemLog,
    progress: Progress,
) -> dict[str, tuple[Program, list[Completion]]]:
    """Sort completions by program; log those at once that need no run."""
    waiting: dict[str, tuple[Program, list[Completion]]] = {}
    same: dict[str, list[Completion]] = defaultdict(list)
    for completion in completions:
        problem = problems[completion.problem]
        if completion.finish == "too_long":
            log.append(to_json(Executed(problem.id, completion.sample, verdict=_TOO_LONG)))
            progress.advance()
            continue
        with boundary(f"task {task.name}", "program", problem.id):
            program = task.program(problem, completion.text)
        if isinstance(program, Verdict):
            log.append(to_json(Executed(problem.id, completion.sample, verdict=program)))
            progress.advance()
            continue
        name = digest(program)
        same[name].append(completion)
        waiting[name] = (program, same[name])
    return waiting


def _jobs(
    task: Task,
    problems: Mapping[str, Problem],
    waiting: dict[str, tuple[Program, list[Completion]]],
) -> list[Job]:
    """Make one job of every program, with the gold that its time limit may be measured by."""
    golds: dict[str, Gold | None] = {}
    for _, completions in waiting.values():
        problem = problems[completions[0].problem]
        if problem.id not in golds:
            with boundary(f"task {task.name}", "program", problem.id):
                gold = task.program(problem, problem.gold)
            golds[problem.id] = None
            if isinstance(gold, Program):
                golds[problem.id] = Gold(f"{task.name} {problem.id}", gold)
    return [
        Job(name, program, golds[completions[0].problem])
        for name, (program, completions) in waiting.items()
    ]


def _run(
    task: Task,
    problems: Mapping[str, Problem],
    waiting: dict[str, tuple[Program, list[Completion]]],
    executor: Executor,
    log: ItemLog,
    progress: Progress,
) -> list[str]:
    """Run each program once; give the reasons of those of which there is no execution."""
    failed: list[str] = []
    running = Running()

    def note() -> str:
        oldest = running.oldest()
        return f"oldest: {_label(waiting[oldest[0]][1][0])} {oldest[1]:.0f} s" if oldest else ""

    watching = Watching(running, lambda: progress.advance(0, note()))
    own, jobs = executor, _jobs(task, problems, waiting)
    results = run_all(
        own.sandbox, jobs, own.limits, own.workers, times=own.times, watching=watching
    )
    for name, result in results:
        completions = waiting[name][1]
        found = _judgeable(task, problems[completions[0].problem], result)
        if isinstance(found, SandboxError):
            failed.append(str(found))
        else:
            for item in completions:
                log.append(to_json(Executed(item.problem, item.sample, execution=found)))
        progress.advance(len(completions), note())
    return failed


def _judgeable(
    task: Task, problem: Problem, result: Execution | SandboxError
) -> Execution | SandboxError:
    """Give an execution that can be laid to the answer, else the error that says why it cannot."""
    if isinstance(result, Execution):
        with suppress(PluginError):  # a broken judge is told where its verdict is asked for
            verdict = judged(task, problem, result)
            return verdict if isinstance(verdict, SandboxError) else result
    return result


def _shared(waiting: dict[str, tuple[Program, list[Completion]]]) -> str:
    """Say how many items shared the run of an equal program."""
    count = sum(len(completions) - 1 for _, completions in waiting.values())
    return f"{count} ran once with an equal program" if count else ""


def _label(completion: Completion) -> str:
    return f"{completion.problem}#{completion.sample}"
