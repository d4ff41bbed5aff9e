"""``mftbench tasks``: list the task plugins, start a new one, prove that one keeps its contract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mftbench.commands.options import TaskFolders
from mftbench.commands.source_options import SourceOptions, parse_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mftbench.contract import Task
    from mftbench.sandbox.backend import Sandbox
    from mftbench.testing.task import Finding

app = typer.Typer(help="List, start and check task plugins.", no_args_is_help=True)


@app.command("list")
def list_(tasks_dir: TaskFolders = None) -> None:
    """List the tasks and where each comes from, without importing any."""
    from mftbench.plugins import find_tasks

    for name, plugin in find_tasks(tasks_dir or ()).items():
        typer.echo(f"{name:<18} {plugin.origin}")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The new task's name: a Python name.")],
    folder: Annotated[
        Path, typer.Option("--dir", help="Where to put its folder.", file_okay=False)
    ] = Path("tasks"),
) -> None:
    """Start a task plugin that works, to be changed line by line."""
    from mftbench.scaffold import new_task

    path = new_task(name, folder)
    typer.echo(f"made {path}; change it, then prove it:\n")
    typer.echo(f"    mftbench tasks check {name} --tasks-dir {folder}")


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="[TASK]...")] = None,
    every: Annotated[bool, typer.Option("--all", help="Check all tasks.")] = False,
    source: Annotated[str, typer.Option(help="Only this source.")] = "",
    limit: Annotated[int, typer.Option(help="Check only so many golds of a source.")] = 0,
    sandbox: Annotated[str, typer.Option(help="The sandbox to run golds in.")] = "auto",
    options: SourceOptions = None,
    tasks_dir: TaskFolders = None,
) -> None:
    """Prove what a task claims: golds pass, empty and escaping answers fail, nothing leaks.

    A source that cannot be had here is skipped with the reason. Exit code 1: a claim is refuted.
    """
    from mftbench.errors import UsageError
    from mftbench.plugins import find_tasks
    from mftbench.sandbox.select import open_sandbox

    folders = tasks_dir or []
    chosen = list(find_tasks(folders)) if every else names
    if not chosen:
        raise UsageError("name the tasks to check, or all of them by --all")
    opened = open_sandbox(sandbox)
    try:
        held = [_check(name, source, limit, options, folders, opened) for name in chosen]
    finally:
        opened.close()
    if not all(held):
        raise typer.Exit(1)


def _check(
    name: str,
    only: str,
    limit: int,
    options: list[str] | None,
    folders: list[Path],
    sandbox: Sandbox,
) -> bool:
    from mftbench.errors import unknown
    from mftbench.plugins import find_tasks
    from mftbench.testing.plugin import check_plugin

    plugins = find_tasks(folders)
    if name not in plugins:
        raise unknown("task", name, plugins)
    task = plugins[name]()
    typer.secho(name, bold=True)
    findings = check_plugin(plugins[name], folders)
    _show(findings)
    held = all(finding.holds is not False for finding in findings)
    for source in [only] if only else task.sources:
        held &= _check_source(task, source, limit, options, sandbox)
    return held


def _check_source(
    task: Task, name: str, limit: int, options: list[str] | None, sandbox: Sandbox
) -> bool:
    from mftbench.errors import UsageError
    from mftbench.plugins import open_source
    from mftbench.testing.task import check_task

    typer.secho(f"  {name}", bold=True)
    try:
        source = open_source(task, name, parse_options(options))
    except UsageError as error:
        if options or name not in task.sources:
            raise
        typer.echo(f"    skipped: {error}")
        return True
    report = check_task(task, sandbox, source, limit=limit)
    _show(report.findings)
    typer.echo(f"    in-process checker: {report.in_process} of {report.golds} golds")
    return report.holds


def _show(findings: Iterable[Finding]) -> None:
    signs = {True: ("ok", "green"), False: ("no", "red"), None: ("--", "yellow")}
    for finding in findings:
        sign, colour = signs[finding.holds]
        detail = f" ({finding.detail})" if finding.detail else ""
        typer.echo(f"    {typer.style(sign, fg=colour)}  {finding.claim}{detail}")
