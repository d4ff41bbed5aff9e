"""One evaluation's completions and verdicts, read from the store, as every format writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mftbench.contract import Problem, Program, Task, Verdict
from mftbench.errors import UsageError, boundary
from mftbench.inference.engine import Completion
from mftbench.itemlog import read_items
from mftbench.pipeline.generate import read_completions
from mftbench.pipeline.score import SCORES, VERDICTS, Scored, read_scored
from mftbench.plugins import asked_by, load_task, open_source
from mftbench.records import from_json
from mftbench.store import Artifact, Store

__all__ = ["Item", "Results", "executed_source", "read_results"]


@dataclass(frozen=True)
class Item:
    """One completion. ``source`` is the whole text that was executed, "" if there was none."""

    problem: Problem
    prompt: str
    completion: Completion
    source: str
    verdict: Verdict | None


@dataclass(frozen=True)
class Results:
    """All items of one model on one source, with the spec and the provenance of their making."""

    task: Task
    source: str
    version: str
    spec: Mapping[str, Any]
    provenance: Mapping[str, Any]
    items: Sequence[Item]
    scored: Scored | None
    created: datetime

    @property
    def model(self) -> str:
        """Name the model, and its training by key."""
        trained = str(self.spec["train"])
        return f"{self.spec['model']}+{trained[:12]}" if trained else str(self.spec["model"])

    @property
    def name(self) -> str:
        """Name task and source in one word."""
        return f"{self.task.name}_{self.source}"


def read_results(store: Store, key: str, tasks_dirs: Sequence[Path] = ()) -> Results:
    """Read what is behind the key of a score, or of a generation that is not scored yet.

    Raises UsageError if the key names neither, or the source has changed since.
    """
    artifact = store.search(key)
    generated = store.find("generate", str(artifact.spec.get("generate", artifact.key)))
    if generated is None:
        raise UsageError(f"{key!r} is a {artifact.stage} key; give the key of a score")
    spec = generated.spec
    loaded = load_task(spec["task"], tasks_dirs)
    opened = open_source(loaded, spec["source"]["name"], spec["source"]["options"])
    if opened.fingerprint() != spec["source"]["fingerprint"]:
        raise UsageError(f"source {spec['source']['name']!r} is not what {key!r} was made from")
    task = asked_by(opened, loaded)
    problems = {problem.id: problem for problem in opened.problems()}
    return Results(
        task=task,
        source=spec["source"]["name"],
        version=opened.version,
        spec=spec,
        provenance=generated.provenance,
        items=tuple(_items(task, problems, generated, _verdicts(artifact))),
        scored=read_scored(artifact.path) if (artifact.path / SCORES).exists() else None,
        created=datetime.fromtimestamp(generated.path.stat().st_mtime, UTC),
    )


def executed_source(task: Task, problem: Problem, completion: str) -> str:
    """Give the text that is run for a completion: code, tests or a query; "" if there is none."""
    with boundary(f"task {task.name}", "program", problem.id):
        program = task.program(problem, completion)
    if not isinstance(program, Program):
        return ""
    last = program.steps[-1]
    for step in (last.peer, last):
        for field in ("source", "tests", "query"):
            if step and field in step.request:
                return str(step.request[field])
    return ""


def _items(
    task: Task,
    problems: Mapping[str, Problem],
    generated: Artifact,
    verdicts: Mapping[tuple[str, int], Verdict],
) -> Iterator[Item]:
    for completion in read_completions(generated.path):
        problem = problems[completion.problem]
        yield Item(
            problem,
            task.prompt.render(problem.prompt),
            completion,
            executed_source(task, problem, completion.text),
            verdicts.get((completion.problem, completion.sample)),
        )


def _verdicts(artifact: Artifact) -> dict[tuple[str, int], Verdict]:
    path = artifact.path / VERDICTS
    lines = read_items(path) if path.exists() else ()
    return {
        (line["problem"], line["sample"]): from_json(
            Verdict, {name: line[name] for name in line.keys() - {"problem", "sample"}}
        )
        for line in lines
    }
