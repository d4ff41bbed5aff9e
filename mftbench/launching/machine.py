"""What this machine has to divide among jobs: processors, GPUs, memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_NVIDIA = Path("/proc/driver/nvidia/gpus")


@dataclass(frozen=True)
class Machine:
    """Processors, the GPUs' identifiers as ``CUDA_VISIBLE_DEVICES`` has them, and megabytes."""

    cpus: int
    gpus: tuple[str, ...] = ()
    memory_mb: int = 0


def this_machine(environment: Mapping[str, str] = os.environ) -> Machine:
    """Look at what this process may use; a GPU that is hidden from it is not there."""
    return Machine(
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _all_cpus(),
        gpus=_gpus(environment),
        memory_mb=_memory_mb(),
    )


def _all_cpus() -> int:
    return os.cpu_count() or 1


def _gpus(environment: Mapping[str, str]) -> tuple[str, ...]:
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(name for part in visible.split(",") if (name := part.strip()))
    there = len(list(_NVIDIA.iterdir())) if _NVIDIA.is_dir() else 0
    return tuple(str(index) for index in range(there))


def _memory_mb() -> int:
    """Give the memory that new processes can have without swapping; 0 where nobody says."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    sizes = {name: rest.split()[0] for name, _, rest in (line.partition(":") for line in lines)}
    return int(sizes.get("MemAvailable", 0)) // 1024
