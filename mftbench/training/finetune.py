"""Fine-tuning on files: what ``mftbench train`` makes of its arguments, and the report of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mftbench.contract import Example, Prompt
from mftbench.errors import UsageError
from mftbench.formats import render_conversation
from mftbench.models import fingerprint, load_tokenizer
from mftbench.progress import Progress
from mftbench.sources.jsonl import digest
from mftbench.stages import Adapter, Balance, Optim, Parallel, SourceRef, TaskData, TrainSpec
from mftbench.store import Artifact, Store
from mftbench.training.balancing.registry import code_of
from mftbench.training.files import RowFile
from mftbench.training.ranks import train

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


_VERSION = 2  # of how rows of a file become prompts, and which of them validate


@dataclass(frozen=True)
class Settings:
    """What a fine-tuning is set to, as a study sets it."""

    adapter: Adapter
    optim: Optim
    balance: Balance
    weights: Mapping[str, float]
    format: str
    seed: int
    parallel: Parallel = field(default_factory=Parallel)
    threads: int = 0


def finetune(
    model: str,
    files: Mapping[str, Path],
    settings: Settings,
    store: Store,
    progress: Progress,
    *,
    skip_malformed: bool = False,
) -> tuple[Artifact, list[str]]:
    """Train on the rows of files by task; give the artifact, and what rows were left out and why.

    Raises UsageError for malformed rows unless they are to be skipped, naming file and line.
    """
    row_files = {task: RowFile(path) for task, path in files.items()}
    malformed = _malformed(row_files, skip=skip_malformed)
    tokenizer = load_tokenizer(model)
    rows = FileRows(row_files, settings.format, tokenizer)
    spec = TrainSpec(
        model=model,
        model_fingerprint=fingerprint(model),
        tasks=tuple(_data(task, path, settings) for task, path in files.items()),
        balance=settings.balance,
        adapter=settings.adapter,
        optim=settings.optim,
        format="plain",  # rows are dressed when they are read: a conversation is more than a prompt
        seed=settings.seed,
        parallel=settings.parallel,
        threads=settings.threads,
        balancer_code=code_of(settings.balance.name),
    )
    prompts = {task: Prompt() for task in files}

    def make(out: Path, work: Path) -> None:
        if settings.threads:
            torch.set_num_threads(settings.threads)
        train(spec, rows, prompts, out, work, progress, store)

    return store.get_or_make("train", spec, make), malformed


def _data(task: str, path: Path, settings: Settings) -> TaskData:
    source = SourceRef("file", {"format": settings.format}, digest(path))
    return TaskData(task, _VERSION, source, settings.weights.get(task, 1.0))


def _malformed(files: Mapping[str, RowFile], *, skip: bool) -> list[str]:
    """Read all files once, before anything is loaded."""
    for task, file in files.items():
        count = sum(1 for _ in file)
        if not count and not file.malformed:
            raise UsageError(f"{file.path}: no rows of task {task!r}")
    found = [line for file in files.values() for line in file.malformed]
    if found and not skip:
        shown = "; ".join(found[:5])
        more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
        raise UsageError(
            f"{len(found)} malformed rows: {shown}{more}; mend them or give --skip-malformed"
        )
    return found


@dataclass(frozen=True)
class FileRows(Mapping[str, "list[Example]"]):
    """Rows by task, read when they are looked up: prompts dressed in a format."""

    files: Mapping[str, RowFile]
    format: str
    tokenizer: PreTrainedTokenizerBase

    def __getitem__(self, task: str) -> list[Example]:
        return [
            Example(
                dialogue.id,
                render_conversation(self.format, dialogue.turns, self.tokenizer),
                dialogue.answer,
            )
            for dialogue in self.files[task]
        ]

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)
