"""Everything a run opens: plugins, data, an engine and a sandbox; each once, when needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from mftbench.contract import Example, Problem, Prompt, Source, Task
from mftbench.errors import PluginError, boundary, require
from mftbench.inference.automatic import Choice
from mftbench.inference.engine import Engine
from mftbench.pipeline.execute import Executor
from mftbench.plan import Context
from mftbench.plugins import asked_by, load_task, open_source
from mftbench.progress import Progress
from mftbench.sandbox.backend import Sandbox
from mftbench.stages import Balance, GenerateSpec, SourceRef, TrainSpec
from mftbench.store_at import StoreAt, open_store
from mftbench.study import Study


@dataclass(frozen=True)
class Options:
    """What a run needs and no result depends on."""

    store: StoreAt
    tasks_dirs: tuple[Path, ...] = ()
    workers: int = 0

    @property
    def worker_count(self) -> int:
        """Give the number of programs to run at a time; by default one a core."""
        return self.workers or os.cpu_count() or 1


class Trainer(Protocol):
    """Train one model: a spec and its tasks' rows and prompts in, an artifact's files out."""

    def __call__(
        self,
        spec: TrainSpec,
        rows: Mapping[str, Sequence[Example]],
        prompts: Mapping[str, Prompt],
        out: Path,
        work: Path,
        progress: Progress,
    ) -> None:
        """Write ``model/``, ``metrics.jsonl`` and ``card.json`` to ``out``."""


@dataclass(frozen=True)
class Seams:
    """Stand-ins for what a bench would open by name: the shipped fakes, or a caller's own."""

    trainer: Trainer | None = None
    engine: Engine | None = None
    sandbox: Sandbox | None = None


class Bench:
    """A study's resources. Use as a context manager; closing frees the engine and the sandbox."""

    def __init__(
        self, study: Study, options: Options, progress: Progress, seams: Seams | None = None
    ) -> None:
        self.study = study
        self.options = options
        self.progress = progress
        self.seams = seams or Seams()
        self.store = open_store(options.store)
        self._sources: dict[tuple[str, str, str], Source] = {}
        self._tokenizers: dict[str, Any] = {}
        self._problems: dict[tuple[str, str, str], dict[str, Problem]] = {}

    @cached_property
    def tasks(self) -> Mapping[str, Task]:
        """The study's tasks by name."""
        return {name: load_task(name, self.options.tasks_dirs) for name in self.study.tasks}

    @cached_property
    def sandbox(self) -> Sandbox:
        """The sandbox that the study names, or the best one here."""
        if self.seams.sandbox:
            return self.seams.sandbox
        from mftbench.sandbox.select import open_sandbox

        return open_sandbox(self.study.sandbox)

    @cached_property
    def executor(self) -> Executor:
        """The sandbox with the study's limits."""
        return Executor(self.sandbox, self.study.limits, self.options.worker_count)

    @cached_property
    def engine(self) -> Engine:
        """The engine that the study names."""
        if self.seams.engine:
            return self.seams.engine
        from mftbench.inference.registry import open_engine

        self._fix_threads()
        return open_engine(self.choice.engine, self.choice.dtype, self.choice.options)

    @cached_property
    def choice(self) -> Choice:
        """Which engine that is, with its options, and why."""
        from mftbench.pipeline.load import chosen

        return chosen(self)

    @cached_property
    def trainer(self) -> Trainer:
        """The one trainer of all modes."""
        if self.seams.trainer:
            return self.seams.trainer
        from mftbench.training.ranks import train

        self._fix_threads()
        return partial(train, store=self.store)

    def render(self, spec: GenerateSpec) -> Callable[[str], str]:
        """Give the function that puts a prompt into the study's format."""
        from mftbench.formats import render_prompt
        from mftbench.models import load_tokenizer

        if spec.model not in self._tokenizers:
            self._tokenizers[spec.model] = load_tokenizer(spec.model)
        tokenizer = self._tokenizers[spec.model]
        return lambda prompt: render_prompt(spec.format, prompt, tokenizer)

    def context(self) -> Context:
        """Gather what a plan depends on: versions and digests.

        Raises UsageError for a wrong name in the study.
        """
        self._check_names()
        return self.context_with(self.choice)

    def context_with(self, choice: Choice) -> Context:
        """Gather what a plan with this engine depends on."""
        from mftbench.inference.registry import keyed
        from mftbench.models import fingerprint
        from mftbench.sandbox.select import execution_digest
        from mftbench.training.balancing.registry import code_of

        return Context(
            tasks=self.tasks,
            model_fingerprint=fingerprint,
            source_fingerprint=self._fingerprint,
            sandbox=self.sandbox.name,
            runners=execution_digest(self.sandbox.images()),
            engine=choice.engine,
            engine_options=keyed(choice.options),
            engine_dtype=choice.dtype,
            balancer_code=code_of,
        )

    def source(self, task: str, ref: SourceRef) -> Source:
        """Open a source once for every set of options."""
        return self._open(task, ref.name, ref.options)

    def asked(self, task: str, ref: SourceRef) -> Task:
        """Give a task as one of its sources asks and scores it."""
        return asked_by(self.source(task, ref), self.tasks[task])

    def problems(self, task: str, ref: SourceRef) -> Mapping[str, Problem]:
        """Load a source's problems by id.

        Raises PluginError if two problems share an id, or there are none.
        """
        place = (task, ref.name, str(sorted(ref.options.items())))
        if place not in self._problems:
            with boundary(f"task {task}", f"source {ref.name} problems"):
                rows = list(self.source(task, ref).problems())
            problems = {problem.id: problem for problem in rows}
            if len(problems) < len(rows) or not rows:
                fault = "gives two problems of one id" if rows else "gives no problems"
                raise PluginError(f"task {task}: source {ref.name} {fault}")
            self._problems[place] = problems
        return self._problems[place]

    def examples(self, task: str, ref: SourceRef) -> list[Example]:
        """Load a source's training rows.

        Raises PluginError if there are none.
        """
        with boundary(f"task {task}", f"source {ref.name} train"):
            rows = list(self.source(task, ref).train())
        if not rows:
            raise PluginError(f"task {task}: source {ref.name} has no training rows")
        return rows

    def training_rows(self, spec: TrainSpec) -> Mapping[str, Sequence[Example]]:
        """Give a training's rows by task, each task's loaded when it is looked up."""
        return TrainingRows(self, {data.task: data.source for data in spec.tasks})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in ("engine", "sandbox"):
            self._close(name)

    def close_engine(self) -> None:
        """Free what the engine holds; asked for again, it is opened anew."""
        if not self.seams.engine:
            self._close("engine")

    def _close(self, name: str) -> None:
        if name in self.__dict__:  # opened
            getattr(self, name).close()
            del self.__dict__[name]

    def _fix_threads(self) -> None:
        if self.study.threads:
            import torch

            torch.set_num_threads(self.study.threads)

    def _check_names(self) -> None:
        """Find a wrong name now, not after an hour of training."""
        from mftbench.formats import FORMATS
        from mftbench.inference.registry import check_engine
        from mftbench.training.balancing.registry import find_balancers

        place = f"study {self.study.name!r}"
        for balance in self.study.balancers:
            require("balancer", balance.name, find_balancers(), place)
            if balance != Balance(balance.name):
                self._check_balance(balance)
        require("format", self.study.format, FORMATS, place)
        check_engine(self.study.engine, self.study.engine_options, place)

    def _check_balance(self, balance: Balance) -> None:
        # Imports torch, and so is not done where a name says all.
        from mftbench.training.balancing.balancer import BalancedTask
        from mftbench.training.balancing.registry import make_balancer
        from mftbench.training.steps import Balancing, check_balancing

        tasks = [BalancedTask(task) for task in self.study.train_tasks]
        check_balancing(Balancing(make_balancer(balance, tasks), balance.scope, balance.way))

    def _fingerprint(self, task: str, name: str, options: Mapping[str, Any]) -> str:
        with boundary(f"task {task}", f"source {name} fingerprint"):
            return self._open(task, name, options).fingerprint()

    def _open(self, task: str, name: str, options: Mapping[str, Any]) -> Source:
        place = (task, name, str(sorted(options.items())))
        if place not in self._sources:
            self._sources[place] = open_source(self.tasks[task], name, options)
        return self._sources[place]


@dataclass(frozen=True)
class TrainingRows(Mapping[str, Sequence[Example]]):
    """Rows by task; nothing is loaded for a training that finds its tokens in the store."""

    bench: Bench
    sources: Mapping[str, SourceRef]

    def __getitem__(self, task: str) -> Sequence[Example]:
        return self.bench.examples(task, self.sources[task])

    def __iter__(self) -> Iterator[str]:
        return iter(self.sources)

    def __len__(self) -> int:
        return len(self.sources)
