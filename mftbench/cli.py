"""The command line: every command by name, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from mftbench import __version__
from mftbench.commands import (
    balancers,
    cards,
    collect,
    compare,
    data,
    doctor,
    exporting,
    figures,
    generate,
    leaderboard,
    merge,
    parity,
    plan,
    report,
    run,
    sandbox,
    score,
    show,
    stage,
    tasks,
    train,
    view,
)
from mftbench.errors import MftbenchError

app = typer.Typer(
    help="Train, generate, execute and score multi-task studies of code models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(run.run)
app.command()(plan.plan)
app.command()(show.show)
app.command()(doctor.doctor)
app.command()(train.train)
app.command()(merge.merge)
app.command()(generate.generate)
app.command()(score.score)
app.command()(parity.parity)
app.command()(stage.stage)
app.command()(collect.collect)
app.command()(compare.compare)
app.command()(exporting.export)
app.command("import")(exporting.import_)
app.command()(report.report)
app.command()(view.view)
app.command()(figures.figures)
app.command()(cards.cards)
app.add_typer(leaderboard.app, name="leaderboard")
app.add_typer(tasks.app, name="tasks")
app.add_typer(data.app, name="data")
app.add_typer(balancers.app, name="balancers")
app.add_typer(sandbox.app, name="sandbox")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Train, generate, execute and score multi-task studies of code models."""
    if debug:
        os.environ["MFTBENCH_DEBUG"] = "1"


def main() -> None:
    """Run the command line; turn our errors into one line and an exit code."""
    try:
        app()
    except MftbenchError as error:
        if os.environ.get("MFTBENCH_DEBUG"):
            raise
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output went away (head, a pager): nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("interrupted; finished items are kept, run again to go on", err=True)
        sys.exit(130)
