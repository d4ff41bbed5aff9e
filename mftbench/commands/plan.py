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
    StoreFolder,
    StudyName,
    TaskFolders,
    Tasks,
    Unseen,
    read_study,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mftbench.bench import Bench
    from mftbench.plan import Cell, Context


def plan(
    study: StudyName = "laptop",
    modes: Modes = "",
    tasks: Tasks = "",
    unseen: Unseen = "",
    overrides: Overrides = None,
    store: StoreFolder = DEFAULT_STORE,
    tasks_dir: TaskFolders = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per cell.")] = False,
    emit: Annotated[
        str, typer.Option(help="Instead, write the units of work as: slurm, commands.")
    ] = "",
    out: Annotated[Path, typer.Option(help="Where --emit slurm writes.")] = Path("slurm"),
    board: Annotated[Path | None, typer.Option(help="Board folder of what is emitted.")] = None,
    cpus: Annotated[int, typer.Option(help="Processors of one emitted unit.")] = 1,
    gpus: Annotated[int, typer.Option(help="GPUs of one emitted training or generation.")] = 0,
    sbatch: Annotated[
        list[str] | None, typer.Option(help="An sbatch option for every job: --partition=gpu.")
    ] = None,
) -> None:
    """Print a study's cells with what is stored of each; make nothing.

    With --emit slurm a folder of sbatch arrays and a submit.sh is written, with --emit commands
    shell lines for anything else are printed. Each makes one unit of work and may be run again.
    """
    from mftbench.bench import Bench, Options
    from mftbench.board_folder import board_folder
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
            maker = JobMaker(Path(), store, cpus, gpus)
            emission = emission_of(bench, cells, maker, board or board_folder(chosen, file))
            typer.echo(emit_as(emit, emission, out, sbatch or ()))
        elif json:
            _print_json(bench, cells)
        else:
            _print_table(bench, cells)
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


def _print_json(bench: Bench, cells: Sequence[Cell]) -> None:
    from mftbench.canonical import dumps, plain

    for cell in cells:
        typer.echo(dumps({"cell": cell.label, "stored": _stored(bench, cell), **plain(cell)}))


def _print_table(bench: Bench, cells: Sequence[Cell]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for column in ("cell", "train rows", "generations", "stored"):
        table.add_column(column, justify="left" if column == "cell" else "right")
    sizes = [(_train_rows(bench, cell), _generations(bench, cell)) for cell in cells]
    for cell, (rows, generations) in zip(cells, sizes, strict=True):
        found = _stored(bench, cell)
        stored = f"{sum(found.values())}/{len(found)}"
        table.add_row(cell.label, str(rows), str(generations), stored)
    total_rows, total_generations = (sum(column) for column in zip(*sizes, strict=True))
    table.add_row(f"[bold]{len(cells)} cells", str(total_rows), str(total_generations), "")
    Console().print(table)


def _stored(bench: Bench, cell: Cell) -> dict[str, bool]:
    """Say for every artifact of a cell whether the store has it."""
    return {
        f"{stage} {name}": bench.store.find(stage, name) is not None
        for evaluation in cell.evaluations
        for stage, name in evaluation.keys.items()
        if name
    }


def _train_rows(bench: Bench, cell: Cell) -> int:
    if cell.train is None:
        return 0
    return sum(len(bench.examples(data.task, data.source)) for data in cell.train.tasks)


def _generations(bench: Bench, cell: Cell) -> int:
    return sum(
        len(bench.problems(item.task, item.generate.source)) * item.generate.sampling.n
        for item in cell.evaluations
    )
