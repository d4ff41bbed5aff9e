"""A whole study on one page: plan it, then train, generate, execute and score.

All models of one base are trained first and then generate together, in one pass of one engine: that
group is the unit of generation. Every stage is looked up in the store first; what is found is not
made again. A cell that fails leaves the others alone: its error is kept for the end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from mftbench.bench import Bench
from mftbench.canonical import digest
from mftbench.errors import EngineError, MftbenchError, PluginError
from mftbench.inference.jobs import served
from mftbench.leaderboard.rows import Row
from mftbench.models.trained import trained_model
from mftbench.pipeline.execute import Executed, execute, read_executed, read_unfinished
from mftbench.pipeline.generate import (
    Wanted,
    complete,
    read_completions,
    requests,
    write_completions,
)
from mftbench.pipeline.kept import family
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
    counted: set[str] = field(default_factory=set)

    @property
    def exit_code(self) -> int:
        """Give 0 if all cells are done, else the worst failure's code; 1 if there is no row."""
        codes = (failure.error.exit_code for failure in self.failures)
        return max(codes, default=int(self.fruitless))

    @property
    def fruitless(self) -> bool:
        """Say whether no cell has a row, failed or not: that says nothing of a board."""
        return not self.rows

    def count(self, artifact: Artifact) -> None:
        """Count an artifact as made or found, once however often it is asked for."""
        if artifact.key not in self.counted:
            self.counted.add(artifact.key)
            self.made += artifact.made
            self.found += not artifact.made


def run(bench: Bench) -> Outcome:
    """Run a study to its rows.

    Raises UsageError before anything is made if the study cannot be planned, and StoreError at
    once if the store cannot be written: every later stage would fail the same way.
    """
    outcome = Outcome()
    for _, cells in groupby(plan(bench.study, bench.context()), key=lambda cell: cell.model):
        ready = generate_group([CellStages(bench, cell, outcome) for cell in cells])
        for cell in ready:
            for evaluation in cell.cell.evaluations:
                with cell.failing(f", {evaluation.task}"):
                    outcome.rows.extend(cell.rows(evaluation))
    return outcome


def generate_group(cells: Sequence[CellStages]) -> list[CellStages]:
    """Train the cells of one base, then make all their missing completions in one pass.

    Completions are items of one node, so the group is held until they are artifacts: another node
    that makes the same ones meanwhile would not find them.
    Returns the cells that go on; what an engine could not complete shows where it is asked for.
    """
    if not any(cell.lacking for cell in cells):
        return list(cells)
    bench = cells[0].bench
    group = digest([each.keys["generate"] for cell in cells for each in cell.cell.evaluations])
    with bench.store.locked(group, _waiting(bench, "generate")):
        return _generated(cells)


def _generated(cells: Sequence[CellStages]) -> list[CellStages]:
    wanted: list[Wanted] = []
    ready = []
    for cell in cells:
        with cell.failing():
            wanted += [cell.wanted(each) for each in cell.lacking]
            ready.append(cell)
    if wanted:
        bench = cells[0].bench
        errors = complete(wanted, bench.engine, bench.store, bench.progress)
        # Nothing more is asked of this base, and the next one's trainings need the memory.
        bench.close_engine()
        for cell in ready:
            cell.errors.update(errors)
            cell.publish({each.key for each in wanted} - errors.keys())
    return ready


@dataclass(frozen=True)
class CellStages:
    """One cell's stages. Each asks for its input only when it has to be made itself."""

    bench: Bench
    cell: Cell
    outcome: Outcome
    asked: dict[str, Wanted] = field(default_factory=dict)
    errors: dict[str, MftbenchError] = field(default_factory=dict)

    @contextmanager
    def failing(self, where: str = "") -> Iterator[None]:
        """Keep what fails in here for the end, and go on with the next."""
        try:
            yield
        except (EngineError, PluginError) as error:
            self.outcome.failures.append(Failure(f"{self.cell.label}{where}", error))

    @property
    def lacking(self) -> list[Evaluation]:
        """Give what lacks completions: nothing that follows from them is stored."""
        has = self.bench.store.has
        return [
            each
            for each in self.cell.evaluations
            if not any(has(stage, each.keys[stage]) for stage in ("score", "execute", "generate"))
        ]

    def rows(self, evaluation: Evaluation) -> Iterator[Row]:
        """Give one evaluation's rows; items that the sandbox could not run are counted missing."""
        try:
            scored = read_scored(self.score(evaluation).path)
        except Unfinished as missing:
            where = f"{self.cell.label}, {evaluation.task}"
            self.outcome.failures.append(Failure(where, EngineError(str(missing))))
            work = self.bench.store.work("execute", evaluation.score.execute)
            scored = self.judged(evaluation, read_unfinished(work))
        yield from rows_of(self.bench, self.cell, evaluation, scored)

    def train(self, task: str) -> ModelRef:
        """Train the cell's model and give what it has for a task; the base if it trains nothing."""
        spec, bench = self.cell.train, self.bench
        if spec is None:
            return ModelRef(self.cell.model)

        def make(out: Path, work: Path) -> None:
            rows = bench.training_rows(spec)
            prompts = {data.task: bench.asked(data.task, data.source).prompt for data in spec.tasks}
            bench.trainer(spec, rows, prompts, out, work, bench.progress)

        artifact = self._get_or_make("train", spec, make)
        folder, adapter = artifact.path / "model", spec.adapter.kind != "full"
        return trained_model(self.cell.model, folder, task, adapter=adapter)

    def wanted(self, evaluation: Evaluation) -> Wanted:
        """Lay out all completions of the evaluation; its model is trained if it is not yet."""
        spec, bench, name = evaluation.generate, self.bench, evaluation.keys["generate"]
        if name not in self.asked:
            model = self.train(spec.task)
            problems = list(bench.problems(spec.task, spec.source).values())
            prompt = bench.asked(spec.task, spec.source).prompt
            asked = tuple(requests(spec, problems, prompt, bench.render(spec)))
            runs = family(spec, bench.engine.version, model.part)
            how = served(bench.engine, model)
            self.asked[name] = Wanted(name, runs, model, asked, spec.sampling, how)
        return self.asked[name]

    def publish(self, names: Collection[str]) -> None:
        """Make artifacts of completions that are whole, by key."""
        for evaluation in self.cell.evaluations:
            if evaluation.keys["generate"] in names:
                with suppress(EngineError):  # raised again where the completions are asked for
                    self.generate(evaluation)

    def generate(self, evaluation: Evaluation) -> Artifact:
        """Select the evaluation's completions from what the group has made."""

        def make(out: Path, work: Path) -> None:
            if error := self.errors.get(evaluation.keys["generate"]):
                raise error
            write_completions(self.wanted(evaluation), self.bench.store, out)

        return self._get_or_make("generate", evaluation.generate, make)

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
            executed = read_executed(self.execute(evaluation).path)
            write_scored(out, self.judged(evaluation, executed))

        return self._get_or_make("score", evaluation.score, make)

    def judged(self, evaluation: Evaluation, executed: Sequence[Executed]) -> Scored:
        """Judge and score executions."""
        spec = evaluation.score
        task = self.bench.asked(spec.task, spec.source)
        problems = self.bench.problems(spec.task, spec.source)
        samples = evaluation.generate.sampling.n
        return judge(task, problems, executed, spec.k, samples)

    def _get_or_make(
        self, stage: str, spec: object, make: Callable[[Path, Path], None]
    ) -> Artifact:
        waiting = _waiting(self.bench, stage)
        artifact = self.bench.store.get_or_make(stage, spec, make, provenance, waiting)
        self.outcome.count(artifact)
        return artifact


def _waiting(bench: Bench, stage: str) -> Callable[[str], None]:
    return lambda name: bench.progress.start(f"waiting for another run to {stage} {name}", 0)
