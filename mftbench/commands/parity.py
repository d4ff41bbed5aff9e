"""``mftbench parity``: whether two engines give the same answers, and the same score."""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    from mftbench.inference.parity import Agreement
    from mftbench.pipeline.asking import Asked
    from mftbench.scoring.paired import Comparison

_Side = Annotated[str, typer.Argument(help="NAME or NAME:KEY=VALUE,...: vllm:dtype=bfloat16.")]


@dataclass(frozen=True)
class _Setting:
    """An engine as the command line names it; ``batch`` and ``dtype`` are no options of its own."""

    name: str
    options: dict[str, object]
    dtype: str
    batch: int

    def open(self) -> Engine:
        from mftbench.inference.registry import open_engine

        return open_engine(self.name, self.dtype, self.options)  # type: ignore[arg-type]


def parity(
    a: _Side,
    b: _Side,
    model: ModelName = "nano",
    adapter: AdapterFolder = None,
    task: TaskName = "completion",
    source: SourceName = "starter",
    count: Annotated[int, typer.Option("-n", help="Problems to ask; 0: all.")] = 50,
    new_tokens: Annotated[int, typer.Option(help="Most tokens of an answer; 0: the task's.")] = 0,
    format: FormatName = "plain",
    score: Annotated[bool, typer.Option("--score", help="Also execute and score both.")] = False,
    sandbox: Annotated[str, typer.Option(help="The sandbox backend for --score.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Ask two engines the same prompts, greedily, and compare texts, tokens and probabilities.

    The noise floor of one engine: mftbench parity transformers:batch=1 transformers:batch=32
    """
    from mftbench.inference.parity import agreement, completions, traces
    from mftbench.pipeline.asking import Asking, ask
    from mftbench.stages import Sampling

    ref = model_ref(model, adapter, task)
    sides = [_setting(each) for each in (a, b)]
    asked = ask(Asking(task, source, count, format), model, Sampling(max_new_tokens=new_tokens))
    found = []
    for side in sides:
        with closing(side.open()) as engine:
            found.append(traces(engine, ref, asked.requests, Sampling(batch=side.batch)))
    compared = None
    if score:
        compared = _compared(asked, [completions(each) for each in found], sandbox)
    _print(agreement(*found), compared, json)


def _setting(text: str) -> _Setting:
    from mftbench.errors import UsageError

    name, _, rest = text.partition(":")
    options = values([pair for pair in rest.split(",") if pair], f"engine {text!r}")
    batch, dtype = options.pop("batch", 32), options.pop("dtype", "float32")
    if not isinstance(batch, int) or batch < 0:
        raise UsageError(f"engine {text!r}: batch {batch!r} is not a number of rows; 0: what fits")
    return _Setting(name, options, str(dtype), batch)


def _compared(asked: Asked, sides: list[list[Completion]], sandbox: str) -> Comparison:
    """Execute and score both sides; compare them problem by problem."""
    from mftbench.scoring.paired import compare

    return compare(*(_scores(asked, each, sandbox) for each in sides))


def _scores(asked: Asked, made: list[Completion], sandbox: str) -> list[float]:
    import os

    from mftbench.contract import Limits
    from mftbench.display import open_display
    from mftbench.errors import EngineError
    from mftbench.pipeline.execute import Executor, execute, read_executed
    from mftbench.pipeline.score import judge
    from mftbench.sandbox.select import open_sandbox
    from mftbench.store import Unfinished

    with closing(open_sandbox(sandbox)) as opened, tempfile.TemporaryDirectory() as scratch:
        executor = Executor(opened, Limits(), os.cpu_count() or 1)
        out = Path(scratch)
        try:
            execute(asked.task, asked.problems, made, executor, out, out / "work", open_display())
        except Unfinished as error:
            raise EngineError(f"not everything could be executed: {error}") from error
        scored = judge(asked.task, asked.problems, read_executed(out), (1,), 1)
    return [value or 0.0 for value in scored.scores[0].items]


def _print(agreed: Agreement, compared: Comparison | None, json: bool) -> None:
    from mftbench.canonical import dumps

    if json:
        score = None if compared is None else {**asdict(compared), "verdict": compared.verdict}
        typer.echo(dumps({**asdict(agreed), "score": score}))
        return
    share = 100 * agreed.same_text / max(agreed.items, 1)
    typer.echo(f"same text          {agreed.same_text} of {agreed.items} ({share:.1f} %)")
    if agreed.differing is not None:
        first, middle = agreed.first_difference, agreed.median_difference
        where = f", first at token {first}, median {middle:g}" if middle is not None else ""
        typer.echo(f"other tokens       {agreed.differing}{where}")
    if agreed.mean_gap is not None:
        gaps = f"mean {agreed.mean_gap:.2e}, largest {agreed.largest_gap:.2e} nats"
        typer.echo(f"log-probabilities  {gaps}, over the tokens before a difference")
    if compared is not None:
        interval = f"[{100 * compared.low:+.1f}, {100 * compared.high:+.1f}]"
        typer.echo(
            f"score, A - B       {100 * compared.difference:+.1f} {interval}, "
            f"p = {compared.p:.3f}: {compared.verdict}"
        )
