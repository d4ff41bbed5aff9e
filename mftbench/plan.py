"""What a study comes to: its cells, and the spec of every stage of every cell. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from mftbench.contract import JsonValue, Task
from mftbench.formats import PLAIN
from mftbench.stages import (
    Balance,
    ExecuteSpec,
    GenerateSpec,
    ScoreSpec,
    SourceRef,
    TaskData,
    TrainSpec,
)
from mftbench.store import key
from mftbench.study import Study

BASE = "base"

_BY_TOKENS = Balance("token_mean")


@dataclass(frozen=True)
class Evaluation:
    """One cell on one source of one task: the specs of its three stages."""

    task: str
    generate: GenerateSpec
    execute: ExecuteSpec
    score: ScoreSpec

    @property
    def keys(self) -> dict[str, str]:
        """Give the keys of the chain behind this evaluation's numbers; no training is ""."""
        return {
            "train": self.generate.train,
            "generate": self.execute.generate,
            "execute": self.score.execute,
            "score": key("score", self.score),
        }


@dataclass(frozen=True)
class Cell:
    """One model of the study, by how it was trained, and what it is evaluated on.

    ``train`` is None for the untrained base. ``mode`` is "base", "single", "mixed" or "mft".
    """

    model: str
    mode: str
    seed: int
    train: TrainSpec | None
    evaluations: tuple[Evaluation, ...]

    @property
    def balancer(self) -> str:
        """Name the balancer where it tells cells apart."""
        return self.train.balance.label if self.train and self.mode == "mft" else ""

    @property
    def train_tasks(self) -> tuple[str, ...]:
        """Name the tasks of the training data, in order."""
        return tuple(data.task for data in self.train.tasks) if self.train else ()

    @property
    def label(self) -> str:
        """Name the cell for a person."""
        tasks = f" {self.train_tasks[0]}" if self.mode == "single" else ""
        balancer = f" {self.balancer}" if self.balancer else ""
        return f"{self.model} {self.mode}{balancer}{tasks} seed {self.seed}"


@dataclass(frozen=True)
class Context:
    """What a plan needs to know of the outside: versions and digests, by name."""

    tasks: Mapping[str, Task]
    model_fingerprint: Callable[[str], str]
    source_fingerprint: Callable[[str, str, Mapping[str, object]], str]
    sandbox: str
    runners: str
    engine: str
    engine_options: Mapping[str, JsonValue] = field(default_factory=dict)
    engine_dtype: str = ""
    balancer_code: Callable[[str], str | None] = lambda name: None


def plan(study: Study, context: Context) -> tuple[Cell, ...]:
    """Lay out every cell of a study, the cheap base rows first."""
    return tuple(
        cell
        for model in study.models
        for cell in _cells(_Layout(study, context, model, context.model_fingerprint(model)))
    )


@dataclass(frozen=True)
class _Layout:
    study: Study
    context: Context
    model: str
    fingerprint: str

    def source(self, task: str, name: str) -> SourceRef:
        options = dict(self.study.settings(task).options.get(name, {}))
        return SourceRef(name, options, self.context.source_fingerprint(task, name, options))

    def train(self, tasks: tuple[str, ...], balance: Balance, seed: int) -> TrainSpec:
        study = self.study
        # By tokens alone, no task's own weight says anything.
        weighed = balance != _BY_TOKENS
        return TrainSpec(
            model=self.model,
            model_fingerprint=self.fingerprint,
            tasks=tuple(self.data(task, weighed=weighed) for task in tasks),
            balance=balance,
            adapter=study.adapter,
            optim=study.optim,
            format=study.format,
            seed=seed,
            threads=study.threads,
            parallel=study.parallel,
            balancer_code=self.context.balancer_code(balance.name),
        )

    def data(self, task: str, *, weighed: bool) -> TaskData:
        settings = self.study.settings(task)
        version = self.context.tasks[task].version
        weight = settings.weight if weighed else 1.0
        return TaskData(task, version, self.source(task, settings.train), weight)

    def evaluate(self, task: str, train: TrainSpec | None, seed: int) -> Iterator[Evaluation]:
        for name in self.study.settings(task).evaluate:
            yield self.evaluation(task, self.source(task, name), train, seed)

    def evaluation(
        self, task: str, source: SourceRef, train: TrainSpec | None, seed: int
    ) -> Evaluation:
        study, plugin = self.study, self.context.tasks[task]
        sampled = study.sampling.temperature > 0
        generate = GenerateSpec(
            model=self.model,
            model_fingerprint=self.fingerprint,
            train=key("train", train) if train else "",
            adapter=bool(train) and study.adapter.kind != "full",
            task=task,
            task_version=plugin.version,
            source=source,
            format=study.format,
            engine=self.context.engine,
            sampling=study.sampling if sampled else replace(study.sampling, n=1),
            dtype=self.context.engine_dtype or study.engine_dtype,
            seed=seed if sampled else 0,
            engine_options=self.context.engine_options,
            threads=study.threads,
            # Since 3 stop sequences for continued texts end no answer that begins anew.
            version=2 if study.format == PLAIN else 3,
        )
        execute = ExecuteSpec(
            generate=key("generate", generate),
            task=task,
            task_version=plugin.version,
            source=source,
            sandbox=self.context.sandbox,
            runners=self.context.runners,
            limits=study.limits,
            program_version=plugin.program_version,
        )
        score = ScoreSpec(
            execute=key("execute", execute),
            generate=execute.generate,
            task=task,
            task_version=plugin.version,
            judge_version=plugin.judge_version,
            source=source,
            k=study.k,
        )
        return Evaluation(task, generate, execute, score)


def _cells(layout: _Layout) -> Iterator[Cell]:
    study = layout.study
    if study.baseline:
        seeds = study.seeds if study.sampling.temperature > 0 else study.seeds[:1]
        for seed in seeds:
            yield _cell(layout, BASE, None, study.tasks, seed)
    for seed in study.seeds:
        for mode in study.modes:
            yield from _MODES[mode](layout, seed)


def _single(layout: _Layout, seed: int) -> Iterator[Cell]:
    for task in layout.study.train_tasks:
        train = layout.train((task,), _BY_TOKENS, seed)
        yield _cell(layout, "single", train, (task,), seed)


def _mixed(layout: _Layout, seed: int) -> Iterator[Cell]:
    train = layout.train(layout.study.train_tasks, _BY_TOKENS, seed)
    yield _cell(layout, "mixed", train, layout.study.tasks, seed)


def _mft(layout: _Layout, seed: int) -> Iterator[Cell]:
    for balance in layout.study.balancers:
        train = layout.train(layout.study.train_tasks, balance, seed)
        yield _cell(layout, "mft", train, layout.study.tasks, seed)


_MODES: Mapping[str, Callable[[_Layout, int], Iterator[Cell]]] = {
    "single": _single,
    "mixed": _mixed,
    "mft": _mft,
}


def _cell(
    layout: _Layout, mode: str, train: TrainSpec | None, tasks: tuple[str, ...], seed: int
) -> Cell:
    evaluations = tuple(
        evaluation for task in tasks for evaluation in layout.evaluate(task, train, seed)
    )
    return Cell(layout.model, mode, seed, train, evaluations)
