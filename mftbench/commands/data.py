"""``mftbench data``: what data sets there are, how they look, what they share; any as JSONL."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mftbench.commands.options import TaskFolders
from mftbench.commands.source_options import SourceName, SourceOptions, TaskName, parse_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mftbench.contract import Example, Problem, Source, Task

app = typer.Typer(help="List, show, write and check data sets.", no_args_is_help=True)


class Split(StrEnum):
    """The two halves of a source."""

    TRAIN = "train"
    PROBLEMS = "problems"


SplitName = Annotated[Split, typer.Option(help="Training rows, or problems to evaluate.")]


@app.command("list")
def list_(tasks_dir: TaskFolders = None) -> None:
    """List every task's sources: licence, rows, and why one cannot be had here."""
    for task, name, source in _sources(tasks_dir):
        place = f"{task.name}/{name}"
        if isinstance(source, str):
            typer.echo(f"{place:<28} --  {source}")
            continue
        counts = f"{_count(source.train()):>6} train {_count(source.problems()):>5} problems"
        made = ", synthetic" if source.synthetic else ""
        typer.echo(f"{place:<28} {counts}  {source.licence}{made}; {source.citation}")


@app.command()
def show(
    task: TaskName,
    source: SourceName,
    count: Annotated[int, typer.Option("-n", help="How many rows.")] = 3,
    split: SplitName = Split.PROBLEMS,
    options: SourceOptions = None,
    tasks_dir: TaskFolders = None,
) -> None:
    """Show some rows as the task asks them, each with its answer."""
    from mftbench.contract import Problem

    loaded, opened = _open(task, source, options, tasks_dir)
    for row in islice(_rows(opened, split), count):
        answer = row.gold if isinstance(row, Problem) else row.completion
        typer.secho(f"--- {row.id}", bold=True)
        typer.echo(loaded.prompt.render(row.prompt), nl=False)
        typer.secho(answer, fg="green")


@app.command()
def write(
    task: TaskName,
    source: SourceName,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    split: SplitName = Split.TRAIN,
    options: SourceOptions = None,
    tasks_dir: TaskFolders = None,
) -> None:
    """Write a source as JSONL, one row a line."""
    from mftbench.canonical import dumps
    from mftbench.errors import StoreError

    _, opened = _open(task, source, options, tasks_dir)
    lines = [dumps(asdict(row)) + "\n" for row in _rows(opened, split)]
    try:
        out.write_text("".join(lines), encoding="utf-8", newline="\n")
    except OSError as error:
        raise StoreError(f"{out}: cannot be written: {error}") from error
    typer.echo(f"{len(lines)} rows in {out}")


@app.command()
def check(tasks_dir: TaskFolders = None) -> None:
    """Compare the training rows of all sources with the problems of all: copies and 13-grams.

    Exit code 1: a training row is a problem.
    """
    from mftbench.sources.overlap import find_overlaps

    opened = {
        f"{task.name}/{name}": source
        for task, name, source in _sources(tasks_dir)
        if not isinstance(source, str)
    }
    rows = (row for source in opened.values() for row in source.train())
    overlaps = find_overlaps(rows, {place: each.problems() for place, each in opened.items()})
    for place, overlap in overlaps.items():
        typer.echo(
            f"{place:<28} {overlap.test:>5} problems: {len(overlap.leaks)} in the training rows,"
            f" {overlap.ngram} of {overlap.train} training rows share 13 tokens with a gold"
        )
        for row, problem in overlap.leaks[:5]:
            typer.secho(f"    {row} = {problem}", fg="red")
    if any(overlap.leaks for overlap in overlaps.values()):
        raise typer.Exit(1)


def _sources(tasks_dir: list[Path] | None) -> Iterator[tuple[Task, str, Source | str]]:
    """Open every source of every task; one that cannot be had is the reason why."""
    from mftbench.errors import UsageError
    from mftbench.plugins import find_tasks, open_source

    for plugin in find_tasks(tasks_dir or ()).values():
        task = plugin()
        for name in task.sources:
            try:
                yield task, name, open_source(task, name)
            except UsageError as error:
                yield task, name, str(error)


def _open(
    task: str, source: str, options: list[str] | None, tasks_dir: list[Path] | None
) -> tuple[Task, Source]:
    from mftbench.plugins import load_task, open_source

    loaded = load_task(task, tasks_dir or ())
    return loaded, open_source(loaded, source, parse_options(options))


def _rows(source: Source, split: Split) -> Iterable[Example | Problem]:
    return source.train() if split is Split.TRAIN else source.problems()


def _count(rows: Iterable[object]) -> int:
    return sum(1 for _ in rows)
