"""The folders of weights that vLLM is given, and how to tell that it computes with them rightly."""

from __future__ import annotations

import math
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mftbench.models.export import export_model
from mftbench.models.location import locate
from mftbench.stages import ModelRef

_TOLERANCE = {"float32": 0.02, "bfloat16": 0.25}
"""How far two ways to compute one log-probability may be apart, in nats."""


@dataclass(frozen=True)
class Weights:
    """A model to give to vLLM. An exported one has a probe: after these tokens, the log-probability
    of the likeliest next one, as transformers computed it.
    """

    model: str
    revision: str | None = None
    probe: tuple[int, ...] = ()
    expected: float = 0.0

    @property
    def exported(self) -> bool:
        """Say whether the weights were written by us, and can be loaded into a running engine."""
        return bool(self.probe)

    @property
    def arguments(self) -> dict[str, Any]:
        """Give the arguments of ``vllm.LLM`` that name the model."""
        return {
            "model": self.model,
            "tokenizer": self.model,
            "revision": self.revision,
            "tokenizer_revision": self.revision,
        }

    def right(self, logprob: float, dtype: str) -> bool:
        """Say whether an engine's answer to the probe is what it should be."""
        return math.isclose(logprob, self.expected, abs_tol=_TOLERANCE[dtype])


class Exports:
    """The exported models of one engine, in a folder that goes away with it."""

    def __init__(self, dtype: str) -> None:
        self._dtype = dtype
        self._folder = Path(tempfile.mkdtemp(prefix="mftbench-vllm-"))
        self._made: dict[ModelRef, Weights] = {}

    def weights(self, ref: ModelRef, probe: tuple[int, ...], *, exchanged: bool) -> Weights:
        """Give a model's weights, exported if they have to be: ``exchanged`` ones, and GGUF files.

        Raises UsageError or EngineError if the model cannot be loaded.
        """
        location = locate(ref.base)
        if ref.trained is None and not exchanged and location.gguf is None:
            return self._made.get(ref) or Weights(location.path, location.revision)
        if ref not in self._made:
            folder = self._folder / str(len(self._made))
            expected = export_model(ref, self._dtype, folder, probe)
            self._made[ref] = Weights(str(folder), None, probe, expected)
        return self._made[ref]

    def drop(self, ref: ModelRef) -> None:
        """Give a model's disk space back."""
        if ref in self._made:
            shutil.rmtree(self._made.pop(ref).model, ignore_errors=True)

    def close(self) -> None:
        """Remove everything."""
        self._made.clear()
        shutil.rmtree(self._folder, ignore_errors=True)
