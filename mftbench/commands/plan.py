"""``mftbench plan``: what a study comes to, and what of it is still to make."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mftbench.commands.options import (
    DEFAULT_STORE,
    Modes,
    Overrides,
    StoreName,
    StudyName,
    TaskFolders,
    Tasks,
    Unseen,
    choose_board,
    finite,
    read_study,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mftbench.bench import Bench
    from mftbench.estimates.estimate import Estimates
    from mftbench.estimates.rates import Rates
    from mftbench.plan import Cell, Context


def plan(
    study: StudyName = "laptop",
    modes: Modes = "",
    tasks: Tasks = "",
    unseen: Unseen = "",
    overrides: Overrides = None,
    store: StoreName = DEFAULT_STORE,
    tasks_dir: TaskFolders = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per cell.")] = False,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Measure this machine first, and keep its rates.")
    ] = False,
    tflops: Annotated[
        float, typer.Option(help="Instead, state a device's peak.", min=0, callback=finite)
    ] = 0.0,
    emit: Annotated[
        str, typer.Option(help="Instead, write the units of work as: slurm, commands.")
    ] = "",
    out: Annotated[Path, typer.Option(help="Where --emit slurm writes.", file_okay=False)] = Path(
        "slurm"
    ),
    board: Annotated[
        Path | None, typer.Option(help="Board folder of what is emitted.", file_okay=False)
    ] = None,
    cpus: Annotated[int, typer.Option(help="Processors of one emitted unit.", min=1)] = 1,
    gpus: Annotated[
        int, typer.Option(help="GPUs of one emitted training or generation.", min=0)
    ] = 0,
    sbatch: Annotated[
        list[str] | None, typer.Option(help="An sbatch option for every job: --partition=gpu.")
    ] = None,
) -> None:
    """Print a study's cells: work, memory, time, and what is stored of each; make nothing.

    Every estimate says what it rests on. Times are known after --calibrate, which trains a few
    steps and answers and executes a few problems, or for a device that is stated.

    With --emit slurm a folder of sbatch arrays and a submit.sh is written, with --emit commands
    shell lines for anything else are printed. Each makes one unit of work and may be run again.
    """
    from mftbench.bench import Bench, Options
    from mftbench.commands.plan_table import print_plan
    from mftbench.estimates.estimate import estimate
    from mftbench.launching.emit import emission_of, emit_as
    from mftbench.launching.jobs import JobMaker
    from mftbench.plan import plan as plan_study
    from mftbench.progress import Silent

    chosen, file = read_study(study, modes, tasks, unseen, overrides)
    with Bench(chosen, Options(store, tuple(tasks_dir or ())), Silent()) as bench:
        absent: set[str] = set()
        context = bench.context()
        if not emit:  # a size can be told without the models; jobs need their keys
            context = _sparing(context, absent)
        cells = plan_study(chosen, context)
        if emit:
            maker = JobMaker("", store, cpus, gpus)
            emission = emission_of(bench, cells, maker, choose_board(board, chosen, file))
            typer.echo(emit_as(emit, emission, out, sbatch or ()))
        else:
            estimates = estimate(bench, cells, _rates(bench, cells, tflops, calibrate))
            (_print_json if json else print_plan)(bench, cells, estimates)
    for name in sorted(absent):
        told = f"{name} is not here: its keys, and so what is stored of it, are not known"
        typer.echo(told, err=True)


def _sparing(context: Context, absent: set[str]) -> Context:
    """Plan models that are not here under their names; ``absent`` gathers them."""
    from mftbench.models.location import AbsentModelError

    @cache
    def fingerprint(name: str) -> str:
        try:
            return context.model_fingerprint(name)
        except AbsentModelError:
            absent.add(name)
            return f"{name}@unknown"

    return replace(context, model_fingerprint=fingerprint)


def _print_json(bench: Bench, cells: Sequence[Cell], estimates: Estimates) -> None:
    from mftbench.canonical import dumps, plain
    from mftbench.commands.plan_table import stored

    for cell, estimate in zip(cells, estimates.cells, strict=True):
        found = dict(stored(bench, cell))
        told = {"cell": cell.label, "stored": found, "estimate": plain(estimate)}
        typer.echo(dumps(told | plain(cell)))


def _rates(bench: Bench, cells: Sequence[Cell], tflops: float, measure: bool) -> Rates | None:
    """Give the rates that are stated, else those that are measured now or were before."""
    from mftbench.estimates.rates import read_rates, stated, write_rates

    if tflops:
        return stated(tflops)
    if measure:
        from mftbench.estimates.calibrate import calibrate

        write_rates(bench.store.root, calibrate(bench, cells))
    return read_rates(bench.store.root)
