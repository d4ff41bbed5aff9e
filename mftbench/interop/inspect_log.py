"""inspect_ai's plain ``.json`` log (version 2), which its viewer opens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mftbench import __version__
from mftbench.canonical import digest
from mftbench.errors import UsageError
from mftbench.interop.imported import Imported, read_json, write_json
from mftbench.interop.results import Item, Results

__all__ = ["read", "write"]

SCORER = "verify"


def write(results: Results, out: Path) -> list[Path]:
    """Write the log; into a folder by a name that inspect's viewer lists."""
    created = results.created.isoformat(timespec="seconds")
    samples = [_sample(item, results.model) for item in results.items]
    log = {
        "version": 2,
        "status": "success",
        "eval": _eval(results, created),
        "plan": {"name": "mftbench", "steps": [{"solver": "generate", "params": {}}]},
        "results": _results(results),
        "stats": {"started_at": created, "completed_at": created, "model_usage": {}},
        "samples": samples,
    }
    file = out if out.suffix == ".json" else out / _file_name(results)
    return [write_json(file, log)]


def read(path: Path) -> list[Imported]:
    """Read the samples of a log.

    Raises UsageError naming the file and the field if it is not one.
    """
    log = read_json(path)
    samples = log.get("samples")
    if not isinstance(samples, list):
        raise UsageError(f"{path}: field 'samples' is missing; log with all samples")
    return [_imported(sample, f"{path}: samples[{at}]") for at, sample in enumerate(samples)]


def _imported(sample: Mapping[str, Any], place: str) -> Imported:
    try:
        output = sample["output"]
        text = _text(output.get("completion") or output["choices"][0]["message"]["content"])
        values = [score["value"] for score in (sample.get("scores") or {}).values()]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise UsageError(f"{place}: no output to take: {error!r}") from None
    if not isinstance(text, str):
        raise UsageError(f"{place}: field 'output' holds no text")
    if not isinstance(sample.get("id"), str | int):
        raise UsageError(f"{place}: field 'id' is missing; name the problem")
    passed = values[0] in ("C", 1, 1.0, True) if values else None
    return Imported(str(sample["id"]), completion=text, passed=passed)


def _text(content: Any) -> Any:
    """Join the texts of a message that comes in parts, as reasoning models' do."""
    if not isinstance(content, list):
        return content
    texts = [part["text"] for part in content if part["type"] == "text"]
    return "".join(texts) if texts else None


def _file_name(results: Results) -> str:
    """Name a log as inspect does: the viewer lists those files only that begin with a time."""
    name = results.name.replace("_", "-")
    which = digest(dict(results.spec), length=12)
    return f"{results.created:%Y-%m-%dT%H-%M-%S}+00-00_{name}_{which}.json"


def _eval(results: Results, created: str) -> dict[str, Any]:
    spec = results.spec
    ids = list(dict.fromkeys(item.problem.id for item in results.items))
    sampling = spec["sampling"]
    return {
        "eval_id": str(spec["source"]["fingerprint"])[:22],
        "run_id": str(spec["train"] or spec["model_fingerprint"])[:22],
        "created": created,
        "task": results.name,
        "task_id": results.name,
        "task_version": spec["task_version"],
        "task_attribs": {},
        "task_args": {},
        "dataset": {
            "name": results.source,
            "location": results.version,
            "samples": len(ids),
            "sample_ids": ids,
            "shuffled": False,
        },
        "model": results.model,
        "model_generate_config": {
            "temperature": sampling["temperature"],
            "top_p": sampling["top_p"],
            "seed": spec["seed"],
        },
        "model_args": {},
        "config": {"epochs": sampling["n"]},
        "packages": {"mftbench": __version__},
        "metadata": {"spec": dict(spec)},
    }


def _results(results: Results) -> dict[str, Any]:
    scored = results.scored
    metrics = {
        score.metric: {"name": score.metric, "value": score.value}
        for score in (scored.scores if scored else ())
        if score.value is not None
    }
    return {
        "total_samples": len(results.items),
        "completed_samples": len(results.items),
        "scores": [{"name": SCORER, "scorer": SCORER, "params": {}, "metrics": metrics}],
    }


def _sample(item: Item, model: str) -> dict[str, Any]:
    text, prompt = _whole(item.completion.text), _whole(item.prompt)
    reply = {"role": "assistant", "content": text, "source": "generate"}
    return {
        "id": item.problem.id,
        "epoch": item.completion.sample + 1,
        "input": prompt,
        "target": _whole(item.problem.gold),
        "messages": [{"role": "user", "content": prompt, "source": "input"}, reply],
        "output": {
            "model": model,
            "choices": [{"message": reply, "stop_reason": _stop_reason(item)}],
            "completion": text,
        },
        "scores": _scores(item),
        "metadata": {},
        "store": {},
        "events": [],
        "model_usage": {},
        "attachments": {},
    }


def _whole(text: str) -> str:
    """Replace lone surrogates, which models do write: inspect reads no escape of one."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _stop_reason(item: Item) -> str:
    return "max_tokens" if item.completion.finish == "length" else "stop"


def _scores(item: Item) -> dict[str, Any]:
    if item.verdict is None:
        return {}
    return {
        SCORER: {
            "value": "C" if item.verdict.passed else "I",
            "answer": _whole(item.source),
            "explanation": _whole(f"{item.verdict.outcome} {item.verdict.reason}".strip()),
            "metadata": {"scores": dict(item.verdict.scores)},
        }
    }
