"""lm-evaluation-harness's files: ``results_<date>.json`` and ``samples_<task>_<date>.jsonl``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from mftbench import __version__
from mftbench.canonical import dumps
from mftbench.interop.imported import Imported, write_json, write_jsonl
from mftbench.interop.results import Item, Results
from mftbench.sources.jsonl import read_rows

__all__ = ["read", "write"]

FILTER = "extract"  # the code that was executed is what its filters would have left


def _repeats(answer: Any) -> Any:
    return [answer] if isinstance(answer, str) else answer


@with_config(ConfigDict(extra="allow"))
class _Doc(TypedDict):
    task_id: str | int


@with_config(ConfigDict(extra="allow"))
class _Line(TypedDict):
    doc_id: int
    doc: _Doc
    resps: Annotated[
        list[Annotated[list[str], Field(min_length=1), BeforeValidator(_repeats)]],
        Field(min_length=1),
    ]


def write(results: Results, out: Path) -> list[Path]:
    """Write both files to a folder."""
    stamp = results.created.strftime("%Y-%m-%dT%H-%M-%S.%f")
    metrics = [score.metric for score in results.scored.scores] if results.scored else []
    samples = [_sample(number, item, metrics) for number, item in enumerate(results.items)]
    return [
        write_json(out / f"results_{stamp}.json", _summary(results)),
        write_jsonl(out / f"samples_{results.name}_{stamp}.jsonl", samples),
    ]


def read(path: Path) -> list[Imported]:
    """Read a samples file: each document's answers as the model gave them, before any filter.

    Raises UsageError naming file, line and field if the file is not what it should be.
    """
    documents: dict[tuple[int, str], list[str]] = {}
    for line in read_rows(path, _Line):
        # A line is written for every filter, with the same answers.
        name = line["doc_id"], str(line["doc"]["task_id"])
        documents.setdefault(name, list(chain.from_iterable(line["resps"])))
    return [
        Imported(task_id, completion=answer)
        for (_, task_id), answers in documents.items()
        for answer in answers
    ]


def _sample(number: int, item: Item, metrics: list[str]) -> dict[str, Any]:
    doc = {"task_id": item.problem.id, "prompt": item.problem.prompt}
    scores = _scores(item)
    return {
        "doc_id": number,
        "doc": doc,
        "target": item.problem.gold,
        "arguments": {"gen_args_0": {"arg_0": item.prompt, "arg_1": {}}},
        "resps": [[item.completion.text]],
        "filtered_resps": [item.source],
        "filter": FILTER,
        "metrics": metrics,
        "doc_hash": _hash(dumps(doc)),
        "prompt_hash": _hash(item.prompt),
        "target_hash": _hash(item.problem.gold),
        **scores,
    }


def _scores(item: Item) -> dict[str, float]:
    if item.verdict is None:
        return {}
    return {"pass@1": float(item.verdict.passed), **item.verdict.scores}


def _summary(results: Results) -> dict[str, Any]:
    task, spec = results.name, results.spec
    problems = len({item.problem.id for item in results.items})
    sampling: Mapping[str, Any] = spec["sampling"]
    return {
        "results": {task: _metrics(results)},
        "group_subtasks": {},
        "configs": {task: {"task": task, "output_type": "generate_until", "metadata": dict(spec)}},
        "versions": {task: spec["task_version"]},
        "n-shot": {task: 0},
        "higher_is_better": {task: {name.split(",")[0]: True for name in _metrics(results)}},
        "n-samples": {task: {"original": problems, "effective": problems}},
        "config": {
            "model": spec["engine"],
            "model_args": f"pretrained={spec['model']},dtype={spec['dtype']}",
            "batch_size": sampling["batch"],
            "random_seed": spec["seed"],
        },
        "git_hash": results.provenance.get("commit", ""),
        "date": results.created.timestamp(),
        "task_hashes": {task: spec["source"]["fingerprint"]},
        "chat_template": spec["format"],
        "chat_template_sha": _hash(spec["format"]),
        "model_name": results.model,
        "mftbench_version": __version__,
    }


def _metrics(results: Results) -> dict[str, Any]:
    found: dict[str, Any] = {"alias": results.name}
    for score in results.scored.scores if results.scored else ():
        if score.value is not None:
            found[f"{score.metric},{FILTER}"] = score.value
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
