"""``mftbench sandbox``: build the images that programs run in, and remove what was left behind."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Build and clean up what programs run in.", no_args_is_help=True)


@app.command()
def build(
    languages: Annotated[
        list[str] | None, typer.Argument(metavar="[LANG]...", help="Languages; all without any.")
    ] = None,
    base: Annotated[
        str, typer.Option(help="The Debian image that they are built on.")
    ] = "debian:bookworm-slim",
    json: Annotated[bool, typer.Option("--json", help="One JSON object per image.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show all that is built.")] = False,
) -> None:
    """Build the images of the sandbox 'docker' and print their sizes, build times and digests.

    Where no registry can be reached, sandbox/engine.sh makes the base first.
    """
    from contextlib import closing

    from mftbench.canonical import dumps
    from mftbench.display import open_display
    from mftbench.sandbox.containers.build import build_image
    from mftbench.sandbox.containers.engine import DockerEngine
    from mftbench.sandbox.containers.images import image_names

    names = image_names(languages)
    progress = open_display(json)
    with closing(DockerEngine()) as engine:
        for name in names:
            progress.start(f"build {name}", 1)

            def say(line: str) -> None:
                progress.advance(0, line)
                if verbose:
                    typer.echo(line, err=True)

            built = build_image(engine, name, base, say)
            progress.advance()
            progress.finish()
            image, megabytes = built.image, built.image.size_bytes / 1e6
            if json:
                row = {"image": name, "version": image.version, "bytes": image.size_bytes}
                typer.echo(dumps({**row, "seconds": built.seconds, "digest": image.digest}))
            else:
                line = f"{name:<8} {image.version:<14} {megabytes:6.0f} MB {built.seconds:6.0f} s"
                typer.echo(f"{line}  {image.digest}")


@app.command()
def cleanup(
    everything: Annotated[
        bool, typer.Option("--all", help="Also containers of runs that are still alive.")
    ] = False,
) -> None:
    """Remove the containers of runs that are gone; without --all no living run is touched."""
    from contextlib import closing

    from mftbench.sandbox.containers.engine import DockerEngine
    from mftbench.sandbox.containers.owner import remove_leftovers

    with closing(DockerEngine()) as engine:
        removed = remove_leftovers(engine, everything=everything)
    typer.echo(f"{removed} containers removed")


@app.command()
def selftest(
    sandbox: Annotated[str, typer.Option(help="The sandbox to attack.")] = "auto",
    only: Annotated[
        list[str] | None, typer.Option(help="Only attacks whose id begins like this.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per attack.")] = False,
) -> None:
    """Attack a sandbox: forged verdicts, exhausted resources, escapes; compare the machine after.

    Exit code 1: something escaped, or got another verdict than it must.
    """
    from collections import Counter
    from dataclasses import asdict

    from mftbench.canonical import dumps
    from mftbench.sandbox.attacks import EVERY_ATTACK
    from mftbench.sandbox.select import open_sandbox
    from mftbench.sandbox.selftest import Result, self_test

    begins = tuple(only or [""])
    attacks = [attack for attack in EVERY_ATTACK if attack.id.startswith(begins)]
    counts: Counter[Result] = Counter()
    for line in self_test(lambda: open_sandbox(sandbox), attacks):
        counts[line.result] += 1
        if json:
            typer.echo(dumps({"sandbox": sandbox, **asdict(line)}))
        else:
            given = f"{line.given} (expected {line.expected})"
            typer.echo(f"{line.result:<8} {line.id:<32} {line.seconds:5.1f} s  {given}")
    typer.echo(", ".join(f"{counts[each]} {each.lower()}" for each in Result), err=True)
    if counts[Result.ESCAPED]:
        raise typer.Exit(1)
