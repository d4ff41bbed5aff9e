"""What ``mftbench data check`` looks at: files, leaks between training and test rows, golds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from mftbench.contract import Limits, Problem, Program, Source, Task, Verdict
from mftbench.errors import SandboxError, UsageError

if TYPE_CHECKING:
    from mftbench.sandbox.backend import Sandbox

Opened = Sequence[tuple[Task, str, "Source | str"]]

# Compilers need more of everything than a test program does.
LIMITS = Limits(wall_s=30, cpu_s=30, memory_mb=2048, processes=256, files_mb=256)


def check_files() -> None:
    """Read every file of the catalogue that is here, and hold it to its digest and size.

    Raises UsageError naming file, line and reason for the first that is not as published.
    """
    from mftbench.sources.catalogue import CATALOGUE

    for name, entry in CATALOGUE.items():
        for file in entry.files:
            try:
                path = file.locate()
            except UsageError:
                typer.echo(f"{name:<14} {file.path}: not here")
                continue
            rows = len(file.rows())
            if rows != file.count:
                raise UsageError(f"{path}: {rows} rows, not {file.count}")
            typer.echo(f"{name:<14} {file.path}: {rows} rows, {file.fingerprint()[:12]}")


def check_overlaps(opened: Opened) -> bool:
    """Print what the training rows share with every source's problems; say if none is a copy."""
    from mftbench.sources.mixture import distinct
    from mftbench.sources.overlap import find_overlaps

    sources = {
        f"{task.name}/{name}": source for task, name, source in opened if isinstance(source, Source)
    }
    rows = distinct(row for source in sources.values() for row in source.train())
    overlaps = find_overlaps(rows, {place: each.problems() for place, each in sources.items()})
    for place, overlap in overlaps.items():
        if not overlap.test:
            continue
        typer.echo(
            f"{place:<38} {overlap.test:>5} problems: {len(overlap.leaks)} in the training rows,"
            f" {overlap.ngram} of {overlap.train} training rows share 13 tokens with a gold"
        )
        for row, problem in overlap.leaks[:5]:
            typer.secho(f"    {row} = {problem}", fg="red")
    return not any(overlap.leaks for overlap in overlaps.values())


def check_golds(opened: Opened, sandbox: str) -> bool:
    """Run every gold of every source; say if all pass that are not known to fail."""
    from mftbench.sandbox.select import open_sandbox

    sources = [(task, name, each) for task, name, each in opened if isinstance(each, Source)]
    backend = open_sandbox(sandbox)
    try:
        held = [_check_source(task, name, source, backend) for task, name, source in sources]
    finally:
        backend.close()
    return all(held)


def _check_source(task: Task, name: str, source: Source, backend: Sandbox) -> bool:
    from mftbench.sources.broken import BROKEN_GOLDS

    problems = {problem.id: problem for problem in source.problems()}
    if not problems:
        return True
    known = BROKEN_GOLDS.get(source.name, {})
    verdicts = dict(_verdicts(task, problems.values(), backend))
    failed = {key: told for key, told in verdicts.items() if told}
    passed = len(verdicts) - len(failed)
    typer.echo(f"{task.name + '/' + name:<38} {passed} of {len(verdicts)} golds pass")
    for key, told in failed.items():
        if key in known:
            typer.echo(f"    {key}: {told}; known: {known[key]}")
        else:
            typer.secho(f"    {key}: {told}", fg="red")
    return failed.keys() <= known.keys()


def _verdicts(
    task: Task, problems: Iterable[Problem], backend: Sandbox
) -> Iterator[tuple[str, str]]:
    """Give what is wrong with each gold's verdict, or ""."""
    import os

    from mftbench.sandbox.pool import Job, run_all

    by_id = {problem.id: problem for problem in problems}
    programs = {key: task.program(problem, problem.gold) for key, problem in by_id.items()}
    jobs = [Job(key, each) for key, each in programs.items() if isinstance(each, Program)]
    for key, given in programs.items():
        if isinstance(given, Verdict):
            yield key, _told(given)
    for key, done in run_all(backend, jobs, LIMITS, os.cpu_count() or 1):
        if isinstance(done, SandboxError):
            yield key, f"could not be run: {done}"
        else:
            yield key, _told(task.judge(by_id[key], done))


def _told(verdict: Verdict) -> str:
    return "" if verdict.passed else f"{verdict.outcome} {verdict.reason}".strip()
