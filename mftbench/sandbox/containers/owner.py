"""Whose containers are whose: labels that name the process that started them, and leftovers."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mftbench.errors import SandboxError
from mftbench.sandbox.containers.engine import Engine
from mftbench.sandbox.since import since

LABEL = "org.mftbench.sandbox"
_MACHINE, _BOOT = f"{LABEL}.machine", f"{LABEL}.boot"
_PROCESS, _SINCE = f"{LABEL}.pid", f"{LABEL}.since"


def own_labels() -> dict[str, str]:
    """Give the labels of containers that this process starts."""
    return {
        LABEL: "container",
        _MACHINE: _machine(),
        _BOOT: _boot(),
        _PROCESS: str(os.getpid()),
        _SINCE: since(os.getpid()),
    }


def remove_leftovers(engine: Engine, *, everything: bool = False) -> int:
    """Remove the containers of processes of this machine that are gone; say how many.

    ``everything``: those of living processes and of other machines too.
    """
    removed = 0
    for container in engine.containers(LABEL):
        if everything or _is_left_over(container.labels):
            with suppress(SandboxError):  # another process may be cleaning up as well
                engine.remove(container.id)
                removed += 1
    return removed


def _is_left_over(labels: Mapping[str, str]) -> bool:
    if labels.get(_MACHINE) != _machine():
        return False
    if labels.get(_BOOT) != _boot():
        return True
    process = labels.get(_PROCESS, "")
    return not process.isdigit() or since(int(process)) != labels.get(_SINCE)


def _machine() -> str:
    """Name this machine: several may share one engine."""
    try:
        return Path("/etc/machine-id").read_text().strip() + platform.node()
    except OSError:
        return platform.node()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
