"""A plan as a batch system's files, or as plain shell lines for whoever runs such lines."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mftbench.bench import Bench
from mftbench.errors import require
from mftbench.launching.jobs import JobMaker
from mftbench.launching.launch import write_launch
from mftbench.launching.launched import launch_of, require_gpus
from mftbench.launching.units import Unit, units
from mftbench.plan import Cell


@dataclass(frozen=True)
class Emission:
    """A study's units, what turns them into commands, and where its board goes."""

    study: str
    units: Sequence[Unit]
    job_of: JobMaker
    board: Path

    def line(self, unit: Unit) -> str:
        """Give the shell line that makes a unit."""
        return shlex.join(self.job_of.command(unit))

    @property
    def collect(self) -> str:
        """Give the shell line that writes the board of what is stored."""
        store = self.job_of.store.argument
        where = (self.job_of.launch, "--store", store, "--board", str(self.board.resolve()))
        return shlex.join((sys.executable, "-m", "mftbench", "collect", *where))


def command_lines(emission: Emission) -> Iterator[str]:
    """Give one line per unit and one for the board; from top to bottom, each finds its inputs."""
    for unit in emission.units:
        yield f"{emission.line(unit)}  # {unit.label}"
    yield emission.collect


def emission_of(bench: Bench, cells: Sequence[Cell], job_of: JobMaker, board: Path) -> Emission:
    """Keep in the store what a study's units agree on, and give all its units.

    Raises UsageError if ranks lack GPUs.
    """
    require_gpus(job_of.gpus, bench.study.parallel.ranks)
    launch = write_launch(bench.store, launch_of(bench))
    return Emission(bench.study.name, units(cells), replace(job_of, launch=launch), board)


def emit_as(form: str, emission: Emission, out: Path, options: Sequence[str]) -> str:
    """Write or print a study's units in a form; give what belongs on standard output.

    Raises UsageError for an unknown form.
    """
    require("form", form, _FORMS, "--emit")
    return _FORMS[form](emission, out, options)


def _commands(emission: Emission, out: Path, options: Sequence[str]) -> str:
    return "\n".join(command_lines(emission))


def _slurm(emission: Emission, out: Path, options: Sequence[str]) -> str:
    from mftbench.launching.slurm import Cluster, write_slurm

    return str(write_slurm(emission, out, Cluster(tuple(options))))


_FORMS: Mapping[str, Callable[[Emission, Path, Sequence[str]], str]] = {
    "slurm": _slurm,
    "commands": _commands,
}
