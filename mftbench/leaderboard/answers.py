"""The samples behind a board's rows: what was asked, answered, run, printed, and judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mftbench.canonical import digest
from mftbench.contract import Problem, Program, Task, Verdict
from mftbench.errors import MftbenchError, boundary
from mftbench.inference.engine import Completion
from mftbench.itemlog import read_items
from mftbench.leaderboard.cells import System
from mftbench.leaderboard.rows import Row
from mftbench.leaderboard.transcript import output_text, program_text
from mftbench.pipeline.execute import Executed, read_executed
from mftbench.pipeline.generate import read_completions
from mftbench.pipeline.score import VERDICTS
from mftbench.plugins import asked_by, load_task, open_source
from mftbench.scoring.style import Style, measure
from mftbench.store import Artifact, Store


@dataclass(frozen=True)
class Answer:
    """One sample. ``program`` is what was run, ``output`` what the steps said, both for reading."""

    problem: str
    sample: int
    text: str
    outcome: str
    reason: str
    scores: Mapping[str, float]
    in_process: bool
    program: str
    output: str
    style: Style


@dataclass(frozen=True)
class Question:
    """What a problem asks, in its task's template, and the gold answer."""

    prompt: str
    gold: str


@dataclass(frozen=True)
class Answers:
    """All samples of one system on one source of one task with one seed; questions by problem."""

    system: System
    task: str
    source: str
    seed: int
    key: str
    answers: tuple[Answer, ...]
    questions: Mapping[str, Question]


def read_answers(
    store: Store, rows: Iterable[Row], tasks_dirs: Sequence[Path] = ()
) -> Iterator[Answers]:
    """Read the samples behind some rows, as far as the store still has them.

    Prompts and programs are made again from the task; where its data cannot be had here they stay
    empty. Raises PluginError if the task's ``program`` raises.
    """
    seen: set[str] = set()
    asked = _Asked(tasks_dirs)
    for row in sorted(rows, key=lambda row: row.order):
        chain = _chain(store, row)
        if chain is not None and row.keys.score not in seen:
            seen.add(row.keys.score)
            yield _answers(row, chain, asked)


@dataclass(frozen=True)
class _Chain:
    generate: Artifact
    execute: Artifact
    score: Artifact


def _chain(store: Store, row: Row) -> _Chain | None:
    found = [
        store.find(stage, getattr(row.keys, stage)) for stage in ("generate", "execute", "score")
    ]
    generate, execute, score = found
    return _Chain(generate, execute, score) if generate and execute and score else None


def _answers(row: Row, chain: _Chain, asked: _Asked) -> Answers:
    spec = chain.generate.spec
    task, problems = asked.open(spec["task"], spec["source"])
    executed = {(item.problem, item.sample): item for item in read_executed(chain.execute.path)}
    verdicts = {
        (item["problem"], item["sample"]): item for item in read_items(chain.score.path / VERDICTS)
    }
    made = []
    for completion in read_completions(chain.generate.path):
        place = (completion.problem, completion.sample)
        program = _program(task, problems.get(completion.problem), completion.text)
        made.append(_answer(completion, program, executed.get(place), verdicts.get(place, {})))
    questions = {
        name: Question(task.prompt.render(problem.prompt) if task else "", problem.gold)
        for name, problem in problems.items()
    }
    system = System(row.model, row.mode, row.balancer)
    return Answers(system, row.task, row.source, row.seed, row.keys.score, tuple(made), questions)


def _answer(
    completion: Completion,
    program: Program | Verdict | None,
    executed: Executed | None,
    verdict: Mapping[str, Any],
) -> Answer:
    ran = program if isinstance(program, Program) else None
    execution = executed.execution if executed else None
    return Answer(
        problem=completion.problem,
        sample=completion.sample,
        text=completion.text,
        outcome=verdict.get("outcome", "missing"),
        reason=verdict.get("reason", ""),
        scores=verdict.get("scores", {}),
        in_process=verdict.get("in_process", False),
        program=program_text(ran) if ran else "",
        output=output_text(execution) if execution else "",
        style=measure(completion.text, completion.tokens, ran.language if ran else ""),
    )


def _program(task: Task | None, problem: Problem | None, text: str) -> Program | Verdict | None:
    if task is None or problem is None:
        return None
    with boundary(f"task {task.name}", "program", problem.id):
        return task.program(problem, text)


class _Asked:
    """Tasks with their problems, each opened once; None and no problems where that fails."""

    def __init__(self, tasks_dirs: Sequence[Path]) -> None:
        self.tasks_dirs = tasks_dirs
        self.opened: dict[str, tuple[Task | None, dict[str, Problem]]] = {}

    def open(self, task: str, source: Mapping[str, Any]) -> tuple[Task | None, dict[str, Problem]]:
        """Open a task with one of its sources, named as a spec names it."""
        place = digest([task, source["name"], source["options"]])
        if place not in self.opened:
            try:
                self.opened[place] = self._load(task, source["name"], source["options"])
            except MftbenchError:
                self.opened[place] = (None, {})
        return self.opened[place]

    def _load(
        self, name: str, source: str, options: Mapping[str, Any]
    ) -> tuple[Task, dict[str, Problem]]:
        task = load_task(name, self.tasks_dirs)
        opened = open_source(task, source, options)
        return asked_by(opened, task), {problem.id: problem for problem in opened.problems()}
