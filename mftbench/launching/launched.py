"""A whole study through a launcher: plan it, drive its units, and collect what they made."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mftbench.bench import Bench
from mftbench.errors import UsageError, require
from mftbench.launching.collecting import collect
from mftbench.launching.driving import Driver
from mftbench.launching.jobs import JobMaker
from mftbench.launching.launch import Launch, launch_folder, write_launch
from mftbench.launching.launcher import Launcher
from mftbench.launching.units import units
from mftbench.plan import plan
from mftbench.run import Outcome, run


@dataclass(frozen=True)
class How:
    """Which launcher runs a study, and how its machines are divided.

    ``gpus`` are those of one training or generation, -1 for as many as a training has ranks, as far
    as there are any. ``replicas`` are the engines that share the models of one base, 0 for one
    engine per model.
    """

    launcher: str = "local"
    slots: int = 1
    gpus: int = -1
    replicas: int = 0
    address: str = ""


def run_study(bench: Bench, how: How) -> Outcome:
    """Run a study to its rows: in this process where one slot of this machine is asked for."""
    return run(bench) if how == How() else run_launched(bench, how)


def run_launched(bench: Bench, how: How) -> Outcome:
    """Run a study's units through a launcher and give its rows.

    Raises UsageError before anything is made if the study cannot be planned, the launcher is
    unknown or ranks lack GPUs, and StoreError at once if the store cannot be written.
    """
    require("launcher", how.launcher, LAUNCHERS)
    cells = plan(bench.study, bench.context())
    launch = write_launch(bench.store, launch_of(bench))
    begun = f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"
    logs = launch_folder(bench.store, launch) / f"logs-{begun}"
    launcher, cpus, there = LAUNCHERS[how.launcher](how, logs, bench.sandbox.name)
    ranks = bench.study.parallel.ranks
    gpus = min(ranks, there) if how.gpus < 0 else how.gpus
    require_gpus(gpus, ranks)
    job_of = JobMaker(launch, bench.options.store, bench.options.workers or cpus, gpus)
    driver = Driver(launcher, bench.store, job_of, bench.progress)
    return collect(bench, cells, driver.drive(units(cells, how.replicas)))


def require_gpus(gpus: int, ranks: int) -> None:
    """Raise UsageError if a training is given GPUs, but not one for each of its ranks."""
    if 0 < gpus < ranks:
        raise UsageError(
            f"a training of {ranks} ranks needs {ranks} GPUs and would be given {gpus}; "
            f"lower parallel.ranks, or give --gpus {ranks} (0: train on processors)"
        )


def launch_of(bench: Bench) -> Launch:
    """Gather what all units of a study must agree on."""
    return Launch(
        study=bench.study,
        sandbox=bench.sandbox.name,
        images=dict(bench.sandbox.images()),
        tasks_dirs=tuple(str(folder.resolve()) for folder in bench.options.tasks_dirs),
    )


Opened = tuple[Launcher, int, int]
"""A launcher, with the processors of one job and the GPUs that there are."""


def _local(how: How, logs: Path, sandbox: str) -> Opened:
    from mftbench.launching.local import LocalLauncher

    launcher = LocalLauncher(logs, how.slots)
    return launcher, launcher.threads, len(launcher.machine.gpus)


def _ray(how: How, logs: Path, sandbox: str) -> Opened:
    from mftbench.launching.ray_cluster import RayLauncher

    launcher = RayLauncher(how.address, sandbox)
    return launcher, 1, launcher.gpus


LAUNCHERS: Mapping[str, Callable[[How, Path, str], Opened]] = {"local": _local, "ray": _ray}
"""Launchers by name: opened with a folder for logs and the name of the study's sandbox."""
