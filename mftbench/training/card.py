"""A training's card: its figures, wall time per phase, versions, hardware."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch
from torch import nn

from mftbench.stages import TrainSpec
from mftbench.training.data import RowCounts
from mftbench.training.stopping import Curve


@dataclass(frozen=True)
class Card:
    """One training, described: what it was asked, what became of the data, what it measured.

    ``seconds`` are by phase, ``train`` including ``validate``; ``tokens_per_second`` counts all but
    padding, over the steps that this process took. ``validation`` is the last one, ``curves`` are
    all of them by task, with each task's best step and the one at which it stalled.
    """

    spec: TrainSpec
    rows: Mapping[str, RowCounts]
    run: Mapping[str, Any]
    validation: Mapping[str, float]
    curves: Mapping[str, Curve]
    resumed_from_step: int
    seconds: Mapping[str, float]
    tokens_per_second: float
    provenance: Mapping[str, Any]


class Clock:
    """Wall seconds by phase; a phase that comes again adds up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Time one phase, or one more part of it."""
        start = time.perf_counter()
        yield
        passed = time.perf_counter() - start
        self.seconds[phase] = round(self.seconds.get(phase, 0.0) + passed, 3)


def provenance(model: nn.Module) -> dict[str, Any]:
    """Describe what trained, and how much of the model was trained."""
    parameters = list(model.parameters())
    device = parameters[0].device
    recomputed = bool(getattr(model, "is_gradient_checkpointing", False))
    return {
        "parameters": sum(p.numel() for p in parameters),
        "trainable_parameters": sum(p.numel() for p in parameters if p.requires_grad),
        "device": str(device),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else "",
        "activations": "recomputed" if recomputed else "kept",
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "versions": {
            name: version(name) for name in ("torch", "transformers", "accelerate", "peft")
        },
    }
