"""``mftbench balancers``: list the balancing methods, prove that one keeps its contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mftbench.commands.source_options import parse_options

if TYPE_CHECKING:
    from mftbench.contract import JsonValue

app = typer.Typer(help="List and check balancing methods.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """List the methods, what each does or where it comes from, without importing any."""
    from mftbench.training.balancing.registry import built_in_balancers, find_balancers, purpose

    built_in = built_in_balancers()
    for name, point in find_balancers().items():
        typer.echo(f"{name:<18} {purpose(name) if name in built_in else point.value}")


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="[BALANCER]...")] = None,
    every: Annotated[bool, typer.Option("--all", help="Check all balancers.")] = False,
    options: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="An option: temperature=0.3."),
    ] = None,
) -> None:
    """Prove what a balancer promises: finite, blind to absent tasks and to order, resumable.

    A balancer that needs options is skipped under --all. Exit code 1: a law is broken.
    """
    from mftbench.errors import UsageError
    from mftbench.training.balancing.registry import find_balancers

    chosen = list(find_balancers()) if every else names
    if not chosen:
        raise UsageError("name the balancers to check, or all of them by --all")
    parsed = parse_options(options)
    if not all([_check(name, parsed, skip=every) for name in chosen]):
        raise typer.Exit(1)


def _check(name: str, options: dict[str, JsonValue], *, skip: bool) -> bool:
    from mftbench.errors import PluginError, UsageError
    from mftbench.stages import Balance
    from mftbench.testing.balancer import check_balancer
    from mftbench.training.balancing.registry import make_balancer

    try:
        check_balancer(lambda tasks: make_balancer(Balance(name, options), tasks))
    except UsageError as error:
        if not skip:
            raise
        typer.echo(f"{name:<18} {typer.style('--', fg='yellow')} skipped: {error}")
    except PluginError as error:
        typer.echo(f"{name:<18} {typer.style('no', fg='red')} {error}")
        return False
    else:
        typer.echo(f"{name:<18} {typer.style('ok', fg='green')}")
    return True
