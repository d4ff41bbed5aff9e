"""What a grid of a thousand cells takes on several machines, by simulation.

python benchmarks/grid_simulation.py [--study laptop] [--cells 1000] [--store STORE] [--tflops T]

The plan, the units and the driver are the real ones. The launcher is the fake, which plays every
unit for the seconds that the estimates give it: from rates measured for STORE by ``mftbench plan
--calibrate --store STORE``, or from a stated device.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mftbench.bench import Bench, Options
from mftbench.commands.plan_table import duration
from mftbench.errors import UsageError
from mftbench.estimates.estimate import estimate
from mftbench.estimates.rates import Rates, read_rates, stated
from mftbench.launching.driving import Driver
from mftbench.launching.launcher import Job, Needs, State, Status
from mftbench.launching.report import Report, to_line
from mftbench.launching.scripted import Played, ScriptedLauncher
from mftbench.launching.units import Unit, units
from mftbench.plan import Cell, plan
from mftbench.progress import Silent
from mftbench.store import Store
from mftbench.store_at import StoreAt
from mftbench.study import Study, find_study, load_study

MACHINES = (1, 4, 16, 64, 256)
SCORE_S = 1.0
"""A score takes no time beside the start of its process."""


def main() -> None:
    """Simulate the study's grid on more and more machines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--study", default="laptop")
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--store", type=Path, default=Path(".mftbench") / "store")
    parser.add_argument("--tflops", type=float, default=0.0)
    parser.add_argument("--start", type=float, default=4.0, help="seconds to start a process")
    arguments = parser.parse_args()
    rates = stated(arguments.tflops) if arguments.tflops else read_rates(arguments.store)
    if rates is None:
        raise UsageError(
            f"no rates in {arguments.store}; run mftbench plan --calibrate, or --tflops"
        )
    study, cells = _grid(load_study(find_study(arguments.study)), arguments.cells)
    made = units(cells)
    seconds = _seconds(study, cells, made, rates, arguments.start)
    print(f"{len(cells):,} cells, {len(made):,} units; {rates.basis}")
    _print_shares(made, seconds)
    for machines in MACHINES:
        _simulate(made, seconds, machines)


def _grid(study: Study, count: int) -> tuple[Study, tuple[Cell, ...]]:
    with Bench(study, Options(StoreAt(Path("unused"))), Silent()) as bench:
        per_seed = len(plan(study, bench.context())) - study.baseline
        study = replace(study, seeds=tuple(range(1, 1 + max(1, count // per_seed))))
        return study, plan(study, bench.context())


def _seconds(
    study: Study, cells: Sequence[Cell], made: Sequence[Unit], rates: Rates, start: float
) -> Mapping[str, float]:
    """Give each unit the seconds of its stage of its cell, and those of its process's start."""
    with Bench(study, Options(StoreAt(Path("unused"))), Silent()) as bench:
        first = {cell.label.partition(" seed ")[0]: cell for cell in cells}
        known = estimate(bench, list(first.values()), rates).cells
    by_cell = dict(zip(first, known, strict=True))
    found = {}
    for unit in made:
        place = unit.label.removeprefix(f"{unit.stage} ").partition(" seed ")[0]
        stages = by_cell[place].seconds or {}
        found[unit.name] = start + stages.get(unit.stage, SCORE_S)
    return found


def _print_shares(made: Sequence[Unit], seconds: Mapping[str, float]) -> None:
    total: defaultdict[str, float] = defaultdict(float)
    for unit in made:
        total[unit.stage] += seconds[unit.name]
    for stage, passed in total.items():
        share = passed / sum(total.values())
        print(f"  {stage:10} {duration(passed):>10}  {share:6.1%} of all work")


def _simulate(made: Sequence[Unit], seconds: Mapping[str, float], machines: int) -> None:
    def play(job: Job) -> Played:
        report = to_line(Report(made=len(job.command)))
        return Played(seconds[job.name], Status(State.ENDED, 0, report))

    launcher = ScriptedLauncher(play, Needs(cpus=machines))
    used = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        driver = Driver(launcher, Store(Path(folder)), _job, Silent(), launcher.tick)
        driver.drive(made)
    busy = launcher.busy["cpus"] / (machines * launcher.now)
    driving = time.process_time() - used
    print(
        f"  {machines:4} machines: {duration(launcher.now):>10}, busy {busy:6.1%}, "
        f"the driver itself {driving:.0f} s CPU"
    )


def _job(unit: Unit) -> Job:
    return Job(unit.name, unit.keys)


if __name__ == "__main__":
    main()
