"""From a unit to the job that makes it: the command line, and what it occupies."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from mftbench.launching.launcher import Job, Needs
from mftbench.launching.units import Unit
from mftbench.store_at import StoreAt

_ON_A_GPU = ("train", "generate")


@dataclass(frozen=True)
class JobMaker:
    """How units become command lines, the same on every node that reaches ``store``.

    ``launch`` names what they agree on there. ``cpus`` are the processors of a job, and the
    programs that it runs at a time. ``gpus`` are those of one training or generation.
    """

    launch: str
    store: StoreAt
    cpus: int = 1
    gpus: int = 0

    def __call__(self, unit: Unit) -> Job:
        """Give the unit's job, under the unit's name."""
        return Job(unit.name, self.command(unit), self.needs(unit))

    def command(self, unit: Unit) -> tuple[str, ...]:
        """Give the command line that makes a unit."""
        where = (self.launch, "--store", self.store.argument)
        own = ("--workers", str(self.cpus), "--json")
        return (sys.executable, "-m", "mftbench", "stage", *where, *own, *unit.keys)

    def needs(self, unit: Unit) -> Needs:
        """Say what a unit occupies: GPUs to train and generate, a sandbox to execute."""
        gpus = self.gpus if unit.stage in _ON_A_GPU else 0
        return Needs(self.cpus, gpus, sandbox=unit.stage == "execute")
