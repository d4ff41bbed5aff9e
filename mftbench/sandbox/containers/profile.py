"""How a container is locked down: the settings that it is created with, as one pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mftbench.contract import Limits
from mftbench.sandbox.namespaces import ENVIRONMENT
from mftbench.sandbox.runners import runners_folder

WORK = "/tmp"
RUNNERS = "/runner"
_PYTHON = ("/usr/bin/python3", "-s", "-S")
_OWN_MB = 192  # the supervisor, the zygote, and the kernel's part
_OWN_TASKS = 32
_OPEN_FILES = 1024
_RUNNERS_MB = 16
_INODES = 1 << 16
_CAPABILITIES = ["SETUID", "SETGID", "KILL"]  # what the supervisor needs to give each step a user
# No shared memory, queues or semaphores that outlive the processes that made them.
_NO_IPC = {
    "kernel.shmmni": "0",
    "kernel.msgmni": "0",
    "kernel.sem": "0 0 0 0",
    "fs.mqueue.queues_max": "0",
}


@dataclass(frozen=True)
class Size:
    """What a container offers one step and its peer."""

    memory_mb: int
    files_mb: int
    processes: int

    @classmethod
    def of(cls, limits: Limits) -> Size:
        """Give the size that serves some limits, rounded so that few sizes serve all."""
        memory = 2 * limits.memory_mb + 2 * limits.files_mb + _OWN_MB
        return cls(_round_up(memory), limits.files_mb, _round_up(2 * limits.processes))

    def covers(self, other: Size) -> bool:
        """Say whether a step of the other size runs here as it would there."""
        return (
            self.memory_mb >= other.memory_mb
            and self.files_mb == other.files_mb
            and self.processes >= other.processes
        )


def profile(
    image: str, size: Size, labels: Mapping[str, str], cores: int, runtime: str
) -> dict[str, Any]:
    """Give the settings of one container, for the container itself and for its host's side."""
    bootstrap = (runners_folder() / "supervisor" / "bootstrap.py").read_text()
    container = {
        "image": image,
        # By env, because engines add variables of their own.
        "command": ["/usr/bin/env", "-i", *_environment(), *_PYTHON, "-c", bootstrap],
        "entrypoint": [],
        "hostname": "sandbox",
        "labels": dict(labels),
        "working_dir": "/",
        "user": "0:0",
        "stdin_open": True,
        "network_disabled": True,
    }
    return {"container": container, "host": _host(size, cores, runtime)}


def _environment() -> list[str]:
    return [f"{name}={value}" for name, value in ENVIRONMENT.items()]


def _host(size: Size, cores: int, runtime: str) -> dict[str, Any]:
    scratch = f"rw,nosuid,nodev,nr_inodes={_INODES}"
    return {
        "network_mode": "none",
        "read_only": True,
        "tmpfs": {
            WORK: f"{scratch},exec,size={size.files_mb}m,mode=1777",
            "/dev/shm": f"{scratch},noexec,size={size.files_mb}m,mode=1777",
            RUNNERS: f"rw,nosuid,nodev,noexec,size={_RUNNERS_MB}m,mode=755",
        },
        "mem_limit": f"{size.memory_mb}m",
        "memswap_limit": f"{size.memory_mb}m",
        "pids_limit": size.processes + _OWN_TASKS,
        "nano_cpus": min(2, cores) * 10**9,
        "cap_drop": ["ALL"],
        "cap_add": _CAPABILITIES,
        "security_opt": ["no-new-privileges"],
        "ulimits": _ulimits(size),
        "sysctls": _NO_IPC,
        "ipc_mode": "private",
        "init": True,
        "auto_remove": True,
        "log_config": {"type": "none", "config": {}},
        "runtime": runtime or None,
    }


def _ulimits(size: Size) -> list[dict[str, Any]]:
    limits = {"core": 0, "nofile": _OPEN_FILES, "fsize": size.files_mb << 20}
    return [{"name": name, "soft": limit, "hard": limit} for name, limit in limits.items()]


def _round_up(number: int) -> int:
    return 1 << max(0, number - 1).bit_length()
