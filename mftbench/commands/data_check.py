"""What ``mftbench data check`` looks at: files, leaks between training and test rows, golds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import typer

from mftbench.contract import Limits, Source, Task, Verdict
from mftbench.errors import UsageError

if TYPE_CHECKING:
    from mftbench.pipeline.golds import GoldRun
    from mftbench.store_at import StoreAt

Opened = Sequence[tuple[Task, str, "Source | str"]]

# Compilers need more of everything than a test program does; a gold is no suspect, so it may take
# as long as a busy machine makes it take.
LIMITS = Limits(wall_s=120, cpu_s=60, memory_mb=2048, processes=256, files_mb=256)


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


def check_overlaps(opened: Opened, wanted: Opened) -> bool:
    """Print what training rows share with the wanted sources' problems; say if none is a copy."""
    from mftbench.sources.mixture import distinct
    from mftbench.sources.overlap import find_overlaps

    sources = [source for _, _, source in opened if isinstance(source, Source)]
    rows = distinct(row for source in sources for row in source.train())
    tests = {
        f"{task.name}/{name}": source.problems()
        for task, name, source in wanted
        if isinstance(source, Source)
    }
    overlaps = find_overlaps(rows, tests)
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


def check_golds(opened: Opened, sandbox: str, store: StoreAt) -> bool:
    """Run every gold of every source; say if all pass that are not known to fail.

    What passed before in the same sandbox is not run again: executions are kept in ``store``.
    """
    from mftbench.display import open_display
    from mftbench.pipeline.execute import Executor
    from mftbench.pipeline.golds import golds_family, run_golds
    from mftbench.sandbox.select import open_sandbox
    from mftbench.store_at import open_store

    sound = True
    kept = open_store(store)
    with closing(open_sandbox(sandbox)) as backend:
        executor = Executor(backend, LIMITS, os.cpu_count() or 1)
        family = golds_family(executor)
        typer.echo(f"golds in {backend.name}, executions kept in {kept.items(family)}")
        with kept.locked(family, _say_waiting):
            for task, name, source in opened:
                problems = [] if isinstance(source, str) else list(source.problems())
                if isinstance(source, str) or not problems:
                    continue
                run = run_golds(task, problems, executor, kept.items(family), open_display())
                sound &= _report(f"{task.name}/{name}", source, run)
    return sound


def _say_waiting(name: str) -> None:
    typer.echo(f"another process runs golds ({name}); waiting for it", err=True)


def _report(place: str, source: Source, run: GoldRun) -> bool:
    """Print one source's golds; say if all pass that are not known to fail."""
    from mftbench.sources.broken import BROKEN_GOLDS

    own = place.partition("/")[2]
    known = {**BROKEN_GOLDS.get(source.name, {}), **BROKEN_GOLDS.get(own, {})}
    failed = {key: _told(each) for key, each in run.verdicts.items() if not each.passed}
    failed |= {key: f"could not be run: {why}" for key, why in run.missing.items()}
    typer.echo(
        f"{place:<38} {run.passed} of {len(run.verdicts) + len(run.missing)} golds pass,"
        f" {run.in_process} judged in their own process, {run.ran} run now"
    )
    for key, told in sorted(failed.items()):
        if key in known:
            typer.echo(f"    {key}: {told}; known: {known[key]}")
        else:
            typer.secho(f"    {key}: {told}", fg="red")
    return failed.keys() <= known.keys()


def _told(verdict: Verdict) -> str:
    return f"{verdict.outcome} {verdict.reason}".strip()
