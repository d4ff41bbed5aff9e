"""The fake trainer: the real one's signature and artifact, in no time and without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from mftbench.canonical import digest
from mftbench.contract import Example, Prompt
from mftbench.progress import Progress
from mftbench.stages import TrainSpec


def train(
    spec: TrainSpec,
    rows: Mapping[str, Sequence[Example]],
    prompts: Mapping[str, Prompt],
    out: Path,
    work: Path,
    progress: Progress,
) -> None:
    """Write an artifact that is a function of the spec and the rows alone."""
    progress.start(f"train {spec.model}", len(spec.tasks))
    counts: dict[str, int] = {}
    for data in spec.tasks:
        counts[data.task] = len(rows[data.task])
        progress.advance(1, prompts[data.task].template)
    progress.finish()
    folder = out / "model"
    folder.mkdir(parents=True)
    _write(folder / "scripted.json", {"spec": digest(spec), "rows": counts})
    _write(out / "metrics.jsonl", {"step": 1, "loss": 0.0})
    _write(out / "card.json", {"spec": asdict(spec), "rows": counts})


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, sort_keys=True) + "\n")
