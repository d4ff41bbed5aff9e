"""Completions kept item by item, for every artifact that asks the same of the same model.

STORE/items/<family>.jsonl holds what one model has answered under one engine; a line is one item,
named by all that determines its text. Lines are only ever added; a torn last one is cut off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mftbench.canonical import digest
from mftbench.contract import JsonValue
from mftbench.inference.engine import Completion, Request
from mftbench.itemlog import read_items
from mftbench.records import to_json
from mftbench.stages import GenerateSpec

_ANSWER: Final = ("text", "tokens", "finish")
"""The fields of a completion that belong to the answer and not to who asked."""


@dataclass(frozen=True)
class Family:
    """What all items of one log have in common: the model, and how it is run.

    ``train`` is the Train key, and "/TASK" after it where the training made a part for that task.
    """

    model_fingerprint: str
    train: str
    adapter: bool
    engine: str
    engine_version: str
    engine_options: Mapping[str, JsonValue]
    dtype: str
    temperature: float
    top_p: float
    batch: int
    threads: int

    @property
    def name(self) -> str:
        """Name the log."""
        return digest(self)


def family(spec: GenerateSpec, engine_version: str, part: str = "") -> Family:
    """Give the family of a spec's items: another engine version is another family.

    ``part`` names the part of the trained model that answers, if it has several.
    """
    return Family(
        model_fingerprint=spec.model_fingerprint,
        train=f"{spec.train}/{part}" if part else spec.train,
        adapter=spec.adapter,
        engine=spec.engine,
        engine_version=engine_version,
        engine_options=spec.engine_options,
        dtype=spec.dtype,
        temperature=spec.sampling.temperature,
        top_p=spec.sampling.top_p,
        batch=spec.sampling.batch,
        threads=spec.threads,
    )


def item_name(request: Request, *, greedy: bool) -> str:
    """Name what a request gets by everything that determines it within its family."""
    seed = 0 if greedy else request.seed
    return digest([request.prompt, request.stop, request.max_new_tokens, seed])


def to_line(item: str, made_for: str, completion: Completion) -> dict[str, Any]:
    """Write an item as a line of its log; ``made_for`` is the key of the artifact it was for."""
    answer = to_json(completion)
    return {"item": item, "made_for": made_for, **{name: answer[name] for name in _ANSWER}}


def kept(path: Path, items: Collection[str]) -> dict[str, dict[str, Any]]:
    """Read those lines of a log that are among ``items``, by item."""
    lines: Iterable[dict[str, Any]] = read_items(path) if path.exists() else ()
    return {line["item"]: line for line in lines if line["item"] in items}


def completion_of(request: Request, line: Mapping[str, Any]) -> Completion:
    """Give a kept answer to a request."""
    return Completion(request.problem, request.sample, **{name: line[name] for name in _ANSWER})
