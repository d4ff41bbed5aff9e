"""Which engine a study should use that names none: vLLM where it pays for its start."""

from __future__ import annotations

import inspect
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mftbench.contract import JsonValue
from mftbench.errors import UsageError

AUTO = "auto"

_START_S = 30.0
"""Seconds from nothing to a running vLLM on two processor cores."""

_GAIN_S = 2.7e-11
"""Seconds that vLLM saves a token and parameter on two cores: 230 tokens/s of a model of 135
million parameters where transformers makes 124, both in bfloat16.
"""


@dataclass(frozen=True)
class Load:
    """What a study asks of its engine: ``tokens`` at most, of models of ``parameters``."""

    tokens: int
    parameters: int
    bases: int = 1


@dataclass(frozen=True)
class Choice:
    """An engine with its options, the type that it computes in, and why."""

    engine: str
    options: Mapping[str, JsonValue]
    dtype: str
    reason: str


def choose(load: Load, options: Mapping[str, JsonValue], dtype: str) -> Choice:
    """Choose between vLLM and the transformers engine. ``options`` may name vLLM's ``python``.

    The choice follows from the whole study and the machine, never from what is already made, so a
    resumed run keeps it.
    """
    from mftbench.inference.vllm.process import vllm_version

    python = str(options.get("python", "")) or sys.executable
    try:
        version = vllm_version(python)
    except UsageError:
        return _choice("transformers", options, dtype, f"no vLLM in {python}")
    cost, saved = load.bases * _START_S, load.tokens * load.parameters * _GAIN_S
    told = f"{load.tokens:,} tokens at most, of {load.parameters / 1e6:,.0f} M parameters"
    if has_gpu() or saved > cost:
        return _choice("vllm", options, dtype, f"vLLM {version} is worth its start: {told}")
    reason = f"vLLM {version} starts for {cost:.0f} s to save {saved:.0f} s: {told}"
    return _choice("transformers", options, dtype, reason)


def fastest_dtype() -> str:
    """Name the type that this machine computes in fastest: bfloat16 where it is built in."""
    if has_gpu() or platform.machine() == "arm64":
        return "bfloat16"
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return "float32"
    return "bfloat16" if {"avx512_bf16", "amx_bf16", "bf16"} & set(flags) else "float32"


def has_gpu() -> bool:
    """Say whether torch can use a GPU."""
    import torch

    return torch.cuda.is_available()


def _choice(engine: str, options: Mapping[str, JsonValue], dtype: str, reason: str) -> Choice:
    """Keep the options that the chosen engine takes: the others were for the other one."""
    from mftbench.inference.registry import find_engines

    takes = inspect.signature(find_engines()[engine]()).parameters
    kept = {name: value for name, value in options.items() if name in takes}
    return Choice(engine, kept, dtype, reason)
