"""A plan on the terminal: each cell's work, memory and time, what is stored, and why so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mftbench.bench import Bench
    from mftbench.estimates.estimate import Estimate, Estimates
    from mftbench.estimates.memory import Memory
    from mftbench.plan import Cell

_COLUMNS = ("cell", "rows", "tokens", "steps", "answers", "train", "answer", "time", "stored")


def print_plan(bench: Bench, cells: Sequence[Cell], estimates: Estimates) -> None:
    """Print one line per cell, the sums, and what each figure rests on."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column == "cell" else "right")
    for cell, estimate in zip(cells, estimates.cells, strict=True):
        found = stored(bench, cell)
        table.add_row(*_line(estimate), f"{sum(found.values())}/{len(found)}")
    table.add_row(*_sums(estimates), "")
    console = Console()
    console.print(table)
    console.print("train, answer: memory of one device. time: one device, one cell after another.")
    for line in estimates.basis:
        console.print(f"- {line}", highlight=False)


def stored(bench: Bench, cell: Cell) -> Mapping[str, bool]:
    """Say for every artifact of a cell whether the store has it."""
    return {
        f"{stage} {name}": bench.store.has(stage, name)
        for evaluation in cell.evaluations
        for stage, name in evaluation.keys.items()
        if name
    }


def duration(seconds: float | None) -> str:
    """Write seconds for a person; "?" where they are not known."""
    if seconds is None:
        return "?"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:,.1f} h"


def _line(estimate: Estimate) -> tuple[str, ...]:
    work = estimate.work
    seconds = sum(estimate.seconds.values()) if estimate.seconds else None
    return (
        estimate.cell,
        *map(_count, (work.rows, work.tokens, work.steps, work.generations)),
        _size(estimate.training) if work.steps else "",
        _size(estimate.generating),
        duration(seconds),
    )


def _sums(estimates: Estimates) -> tuple[str, ...]:
    works = [each.work for each in estimates.cells]
    return (
        f"[bold]{len(works)} cells",
        _count(sum(work.rows for work in works)),
        _count(sum(work.tokens for work in works)),
        _count(sum(work.steps for work in works)),
        _count(sum(work.generations for work in works)),
        "",
        "",
        duration(estimates.seconds),
    )


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**6 else f"{number / 10**6:,.1f} M"


def _size(memory: Memory | None) -> str:
    if memory is None:
        return "?"
    megabytes = memory.total / 10**6
    return f"{megabytes:,.0f} MB" if megabytes < 10_000 else f"{megabytes / 1000:,.0f} GB"
