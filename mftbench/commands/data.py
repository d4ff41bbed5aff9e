"""``mftbench data``: what data sets there are, how they look, what they share; get and check."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mftbench.commands.options import DEFAULT_STORE, StoreName, TaskFolders
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
            typer.echo(f"{place:<38} --  {source}")
            continue
        counts = f"{_count(source.train()):>6} train {_count(source.problems()):>5} problems"
        made = ", synthetic" if source.synthetic else f"; {source.version}"
        typer.echo(f"{place:<38} {counts}  {source.licence}{made}; {source.citation}")


@app.command()
def show(
    task: TaskName,
    source: SourceName,
    count: Annotated[int, typer.Option("-n", min=0, help="How many rows.")] = 3,
    split: SplitName = Split.PROBLEMS,
    options: SourceOptions = None,
    tasks_dir: TaskFolders = None,
) -> None:
    """Show some rows as the task asks them, each with its answer."""
    from mftbench.contract import Problem
    from mftbench.plugins import asked_by

    loaded, opened = _open(task, source, options, tasks_dir)
    prompt = asked_by(opened, loaded).prompt
    for row in islice(_rows(opened, split), count):
        answer = row.gold if isinstance(row, Problem) else row.completion
        typer.secho(f"--- {row.id}", bold=True)
        typer.echo(prompt.render(row.prompt), nl=False)
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


class Origin(StrEnum):
    """Where data files are fetched from."""

    UPSTREAM = "upstream"
    HUB = "hub"


@app.command()
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="DATA_SET...", help="mbpp, spider, ...")],
    origin: Annotated[
        Origin, typer.Option("--from", help="Published bytes, or the hub's rows.")
    ] = Origin.UPSTREAM,
    revision: Annotated[str, typer.Option(help="The hub's commit, where none is pinned.")] = "",
    to: Annotated[
        Path | None, typer.Option(envvar="MFTBENCH_DATA", help="The data folder.")
    ] = None,
) -> None:
    """Get data sets into the data folder, each file held to its digest or to the hub's commit."""
    from mftbench.errors import UsageError, require
    from mftbench.sources.catalogue import CATALOGUE
    from mftbench.sources.fetch import fetch_from_hub, fetch_upstream

    if to is None:
        raise UsageError("no data folder; set MFTBENCH_DATA or give --to")
    for name in names:
        require("data set", name, CATALOGUE)
    for name in names:
        for file in CATALOGUE[name].files:
            if origin is Origin.HUB:
                path = fetch_from_hub(file, to, revision)
            else:
                path = fetch_upstream(file, to)
            typer.echo(f"{path}  {file.count} rows")
        if CATALOGUE[name].extra:
            typer.echo(f"{name}: {CATALOGUE[name].extra}")


@app.command()
def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE", help="completion/humaneval, 'translation/*', ..."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also hold files to their digests, and run every gold.")
    ] = False,
    sandbox: Annotated[str, typer.Option(help="The sandbox to run golds in.")] = "auto",
    store: StoreName = DEFAULT_STORE,
    tasks_dir: TaskFolders = None,
) -> None:
    """Compare the training rows of all sources with the problems of all: copies and 13-grams.

    With --all, also count and verify every file, and run every gold; golds that are known not to
    pass are listed with the reason. SOURCE narrows what is compared with and run. Executions are
    kept, so that a second run repeats only what failed. Exit code 1: a training row is a problem,
    or a gold fails.
    """
    from mftbench.commands.data_check import check_files, check_golds, check_overlaps

    opened = list(_sources(tasks_dir))
    wanted = _matching(opened, names or ["*"])
    sound = True
    if every:
        check_files()
    sound &= check_overlaps(opened, wanted)
    if every:
        sound &= check_golds(wanted, sandbox, store)
    if not sound:
        raise typer.Exit(1)


def _matching(
    opened: list[tuple[Task, str, Source | str]], names: list[str]
) -> list[tuple[Task, str, Source | str]]:
    """Take the sources that are named; ``*`` stands for anything. Raises UsageError for none."""
    from fnmatch import fnmatchcase

    from mftbench.errors import unknown

    places = [f"{task.name}/{name}" for task, name, _ in opened]
    for name in names:
        if not any(fnmatchcase(place, name) for place in places):
            raise unknown("source", name, places)
    return [
        each
        for place, each in zip(places, opened, strict=True)
        if any(fnmatchcase(place, name) for name in names)
    ]


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
