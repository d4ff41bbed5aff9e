"""``mftbench export`` and ``mftbench import``: results in other harnesses' files, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mftbench.commands.options import DEFAULT_STORE, StoreName, TaskFolders

FORMAT_NAMES = "humaneval, evalplus, codefuse, lm-eval or inspect"
FormatName = Annotated[str, typer.Option("--format", help=f"{FORMAT_NAMES}.")]


def export(
    key: Annotated[str, typer.Argument(help="A score's key from results.jsonl, or its beginning.")],
    format_name: FormatName,
    out: Annotated[Path, typer.Option(help="The file to write; a folder for lm-eval, or inspect.")],
    store: StoreName = DEFAULT_STORE,
    tasks_dir: TaskFolders = None,
) -> None:
    """Write one evaluation's completions and verdicts as another harness writes them."""
    from mftbench.errors import require
    from mftbench.interop.formats import FORMATS
    from mftbench.interop.results import read_results
    from mftbench.store_at import open_store

    require("format", format_name, FORMATS)
    results = read_results(open_store(store), key, tasks_dir or ())
    for path in FORMATS[format_name].write(results, out):
        typer.echo(f"wrote {path}")


def import_(
    file: Annotated[Path, typer.Argument(help="The other harness's file, or folder.")],
    format_name: FormatName,
    out: Annotated[Path, typer.Option(help="The samples.jsonl to write.")],
) -> None:
    """Write another harness's samples as samples.jsonl, for 'mftbench score' to judge anew.

    Also counts what that harness found to have passed, if its file says so.
    """
    from mftbench.errors import UsageError, require
    from mftbench.interop.formats import FORMATS
    from mftbench.interop.imported import write_jsonl

    require("format", format_name, FORMATS)
    samples = FORMATS[format_name].read(file)
    if not samples:
        raise UsageError(f"{file} has no samples")
    write_jsonl(out, (sample.row() for sample in samples))
    judged = [sample.passed for sample in samples if sample.passed is not None]
    told = f", {sum(judged)} of {len(judged)} passed there" if judged else ""
    typer.echo(
        f"{len(samples)} samples of {len({s.task_id for s in samples})} problems{told}: {out}"
    )
