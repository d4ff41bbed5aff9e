"""The options by which commands name a task, a source and the source's own options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mftbench.contract import JsonValue

TaskName = Annotated[str, typer.Argument(metavar="TASK", help="A task's name.")]
SourceName = Annotated[str, typer.Argument(metavar="SOURCE", help="One of the task's sources.")]
SourceOptions = Annotated[
    list[str] | None,
    typer.Option("--option", "-o", metavar="KEY=VALUE", help="An option of the source: train=500."),
]


def parse_options(options: list[str] | None) -> dict[str, JsonValue]:
    """Read ``key=value`` options; a value is JSON where it can be, else text.

    Raises UsageError for an option without a value.
    """
    import json

    from mftbench.errors import UsageError

    parsed: dict[str, JsonValue] = {}
    for option in options or ():
        key, sign, value = option.partition("=")
        if not (key and sign):
            raise UsageError(f"option {option!r} is not KEY=VALUE")
        try:
            parsed[key] = json.loads(value)
        except ValueError:
            parsed[key] = value
    return parsed
