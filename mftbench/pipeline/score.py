"""The Score stage: the task's judge turns executions into verdicts, and verdicts into scores."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mftbench.canonical import dumps
from mftbench.contract import Problem, Task, Verdict
from mftbench.errors import SandboxError
from mftbench.itemlog import write_items
from mftbench.leaderboard.rows import digest_ids
from mftbench.pipeline.execute import Executed
from mftbench.pipeline.judging import judged
from mftbench.records import from_json, to_json
from mftbench.scoring.score import Score, count_in_process, count_outcomes, score

VERDICTS = "verdicts.jsonl"
SCORES = "scores.json"


@dataclass(frozen=True)
class Scored:
    """One evaluation's scores, with the counts that a reader needs to trust them."""

    scores: tuple[Score, ...]
    outcomes: Mapping[str, int]
    in_process: int
    problems: int
    items_digest: str
    verdicts: Mapping[str, tuple[Verdict, ...]] = field(default_factory=dict)


def judge(
    task: Task,
    problems: Mapping[str, Problem],
    executed: Sequence[Executed],
    k: Sequence[int],
    samples: int,
) -> Scored:
    """Judge every item and score against the whole problem set of ``samples`` samples each.

    A problem that lacks a sample, or has one that cannot be laid to its answer, counts as missing.

    Raises PluginError if the task's judge raised.
    """
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    for item in sorted(executed, key=lambda item: (item.problem, item.sample)):
        verdict = _verdict(task, problems[item.problem], item)
        if isinstance(verdict, Verdict):
            verdicts[item.problem].append(verdict)
    return Scored(
        scores=score(verdicts, task.metrics, k, list(problems), samples=samples),
        outcomes=count_outcomes(verdicts),
        in_process=count_in_process(verdicts),
        problems=len(problems),
        items_digest=digest_ids(problems),
        verdicts={problem: tuple(items) for problem, items in verdicts.items()},
    )


def write_scored(out: Path, scored: Scored) -> None:
    """Write one line per judged sample, and the scores with their counts."""
    lines = [
        {"problem": problem, "sample": sample, **to_json(verdict)}
        for problem in sorted(scored.verdicts)
        for sample, verdict in enumerate(scored.verdicts[problem])
    ]
    write_items(out / VERDICTS, lines)
    head = {name: value for name, value in to_json(scored).items() if name != "verdicts"}
    (out / SCORES).write_text(dumps(head) + "\n", encoding="ascii")


def read_scored(folder: Path) -> Scored:
    """Read a Score artifact's scores; its verdicts stay on disk."""
    return from_json(Scored, json.loads((folder / SCORES).read_text(encoding="ascii")))


def _verdict(task: Task, problem: Problem, item: Executed) -> Verdict | SandboxError:
    if item.verdict is not None:
        return item.verdict
    assert item.execution is not None
    return judged(task, problem, item.execution)
