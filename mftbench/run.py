"""A whole study on one page: plan it, then for every cell train, generate, execute and score.

Every stage is looked up in the store first; what is found is not made again. A cell that fails
leaves the others alone: its error is kept for the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mftbench.bench import Bench
from mftbench.errors import EngineError, MftbenchError, PluginError
from mftbench.leaderboard.rows import Row
from mftbench.pipeline.execute import execute, read_executed
from mftbench.pipeline.generate import generate, read_completions, requests
from mftbench.pipeline.rows import rows_of
from mftbench.pipeline.score import Scored, judge, read_scored, write_scored
from mftbench.plan import Cell, Evaluation, plan
from mftbench.provenance import provenance
from mftbench.stages import ModelRef
from mftbench.store import Artifact, Unfinished


@dataclass(frozen=True)
class Failure:
    """A cell that could not be finished, and why."""

    cell: str
    error: MftbenchError


@dataclass
class Outcome:
    """What a run came to. ``made`` and ``found`` count artifacts."""

    rows: list[Row] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    made: int = 0
    found: int = 0

    @property
    def exit_code(self) -> int:
        """Give 0 if all cells are done, else the worst failure's code."""
        return max((failure.error.exit_code for failure in self.failures), default=0)


def run(bench: Bench) -> Outcome:
    """Run a study to its rows.

    Raises UsageError before anything is made if the study cannot be planned, and StoreError at
    once if the store cannot be written: every later stage would fail the same way.
    """
    outcome = Outcome()
    for cell in plan(bench.study, bench.context()):
        try:
            for evaluation in cell.evaluations:
                outcome.rows.extend(_Cell(bench, cell, outcome).rows(evaluation))
        except (EngineError, PluginError) as error:
            outcome.failures.append(Failure(cell.label, error))
    return outcome


@dataclass(frozen=True)
class _Cell:
    """One cell's stages. Each asks for its input only when it has to be made itself."""

    bench: Bench
    cell: Cell
    outcome: Outcome

    def rows(self, evaluation: Evaluation) -> Iterator[Row]:
        """Give one evaluation's rows; items that the sandbox could not run are counted missing."""
        try:
            scored = read_scored(self.score(evaluation).path)
        except Unfinished as missing:
            where = f"{self.cell.label}, {evaluation.task}"
            self.outcome.failures.append(Failure(where, EngineError(str(missing))))
            scored = self.judged(
                evaluation, self.bench.store.work("execute", evaluation.score.execute)
            )
        yield from rows_of(self.bench, self.cell, evaluation, scored)

    def train(self) -> ModelRef:
        """Train the cell's model, or give the base where the cell trains nothing."""
        spec, bench = self.cell.train, self.bench
        if spec is None:
            return ModelRef(self.cell.model)

        def make(out: Path, work: Path) -> None:
            rows = {data.task: bench.examples(data.task, data.source) for data in spec.tasks}
            prompts = {data.task: bench.asked(data.task, data.source).prompt for data in spec.tasks}
            bench.trainer(spec, rows, prompts, out, work, bench.progress)

        artifact = self._get_or_make("train", spec, make)
        return ModelRef(self.cell.model, artifact.path / "model", spec.adapter.kind != "full")

    def generate(self, evaluation: Evaluation) -> Artifact:
        """Make every completion of the evaluation."""
        spec, bench = evaluation.generate, self.bench

        def make(out: Path, work: Path) -> None:
            model = self.train()
            problems = list(bench.problems(spec.task, spec.source).values())
            prompt = bench.asked(spec.task, spec.source).prompt
            wanted = requests(spec, problems, prompt, bench.render(spec))
            generate(spec, wanted, model, bench.engine, out, work, bench.progress)

        return self._get_or_make("generate", spec, make)

    def execute(self, evaluation: Evaluation) -> Artifact:
        """Run every completion's program."""
        spec, bench = evaluation.execute, self.bench

        def make(out: Path, work: Path) -> None:
            completions = read_completions(self.generate(evaluation).path)
            problems = bench.problems(spec.task, spec.source)
            task = bench.tasks[spec.task]
            execute(task, problems, completions, bench.executor, out, work, bench.progress)

        return self._get_or_make("execute", spec, make)

    def score(self, evaluation: Evaluation) -> Artifact:
        """Judge every execution and score the verdicts."""

        def make(out: Path, work: Path) -> None:
            write_scored(out, self.judged(evaluation, self.execute(evaluation).path))

        return self._get_or_make("score", evaluation.score, make)

    def judged(self, evaluation: Evaluation, executions: Path) -> Scored:
        """Judge and score the executions in a folder."""
        spec = evaluation.score
        task = self.bench.asked(spec.task, spec.source)
        problems = self.bench.problems(spec.task, spec.source)
        samples = evaluation.generate.sampling.n
        return judge(task, problems, read_executed(executions), spec.k, samples)

    def _get_or_make(
        self, stage: str, spec: object, make: Callable[[Path, Path], None]
    ) -> Artifact:
        progress = self.bench.progress
        artifact = self.bench.store.get_or_make(
            stage,
            spec,
            make,
            provenance=provenance,
            waiting=lambda name: progress.start(f"waiting for another run to {stage} {name}", 0),
        )
        self.outcome.made += artifact.made
        self.outcome.found += not artifact.made
        return artifact
