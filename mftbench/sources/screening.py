"""Find the mutants that a data set's own tests kill, in the sandbox: ``killed.json``.

``python -m mftbench.sources.screening --out killed.json`` takes a few minutes on two cores.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from mftbench.contract import Limits, Outcome, Problem, Program
from mftbench.errors import SandboxError
from mftbench.sandbox.pool import Job, run_all
from mftbench.sandbox.select import open_sandbox
from mftbench.sandbox.verdict import verdict_of
from mftbench.sources.test_subjects import Subject, candidates, subjects
from mftbench.suites import Suite, python_program

LIMITS = Limits(wall_s=4, cpu_s=4)
# A time-out would depend on the machine.
KILLED = {Outcome.FAILED, Outcome.ERROR}


def main(
    out: Annotated[Path, typer.Option(help="The file to write.")],
    sandbox: Annotated[str, typer.Option(help="The sandbox backend.")] = "auto",
) -> None:
    """Run every subject's own tests against its mutants and write the names of the killed ones."""
    jobs = [job for subject in subjects() for job in _jobs(subject)]
    killed: dict[str, list[str]] = defaultdict(list)
    backend = open_sandbox(sandbox)
    try:
        for key, done in run_all(backend, jobs, LIMITS, os.cpu_count() or 1):
            if isinstance(done, SandboxError):
                raise done
            if verdict_of(done.steps[-1]).outcome in KILLED:
                subject, _, mutant = key.partition(" ")
                killed[subject].append(mutant)
    finally:
        backend.close()
    found = {subject: sorted(names) for subject, names in sorted(killed.items())}
    out.write_text(json.dumps(found, indent=0) + "\n", encoding="ascii")
    typer.echo(f"{sum(map(len, found.values()))} of {len(jobs)} mutants of {len(found)} subjects")


def _jobs(subject: Subject) -> Iterable[Job]:
    suite = Suite(subject.tests, (subject.name,))
    problem = Problem(subject.id, "", subject.program, suite.facts())
    for mutant in candidates(subject):
        program = python_program(problem, mutant.source)
        assert isinstance(program, Program), "a mutant is never empty"
        yield Job(f"{subject.id} {mutant.name}", program)


if __name__ == "__main__":
    typer.run(main)
