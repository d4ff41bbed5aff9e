"""The footnotes of a table: what its signs mean, and all that limits what its numbers say."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from mftbench.leaderboard.cells import Cell, Column, System
from mftbench.leaderboard.published import NOTE, published_rows
from mftbench.leaderboard.table import Mark, Table
from mftbench.leaderboard.wording import ABSENT, AT_LEAST, MARKS, UNSEEN
from mftbench.scoring.intervals import FEW, LEVEL, RESAMPLES, SEED, is_near_an_end

FINDING_SEEDS = 3
NAMED_SYSTEMS = 3

Entry = tuple[System, Column, Cell]
_Finder = Callable[[Table, Sequence[Entry]], Iterator[str]]


def footnotes(table: Table) -> tuple[str, ...]:
    """Give the notes that a table needs, each one sentence or two."""
    return _found(table, _NOTES)


def limits(table: Table) -> tuple[str, ...]:
    """Give the notes on what a table's numbers say, without those on its signs."""
    return _found(table, [find for find in _NOTES if find is not _marks])


def caveats(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Give the notes on how cells were scored that hold wherever their numbers appear."""
    return (*_synthetic(None, entries), *_in_process(None, entries))


def compared_caveats(table: Table, labels: Container[str]) -> tuple[str, ...]:
    """Give the caveats of some systems of a table, named by their labels, all together."""
    return caveats([entry for entry in _entries(table) if entry[0].label in labels])


def _scale(table: Table, entries: Sequence[Entry]) -> Iterator[str]:
    seeds = any(len(cell.rows) > 1 for _, _, cell in entries)
    widened = ", widened by a t quantile for what the seeds disagree about" if seeds else ""
    yield (
        f"Values are percent, with {100 * LEVEL:.0f} % percentile bootstrap intervals over "
        f"problems ({RESAMPLES:,} resamples, generator seed {SEED}){widened}."
    )


def _ends(table: Table, entries: Sequence[Entry]) -> Iterator[str]:
    if any(cell.ranked and is_near_an_end(cell.items) for _, _, cell in entries):
        yield (
            f"Where fewer than {FEW} problems passed or failed, intervals reach at least as far as "
            "the exact (Clopper-Pearson) ones."
        )


def _marks(table: Table, entries: Sequence[Entry]) -> Iterator[str]:
    used = set(table.marks.values())
    if Mark.BEST in used:
        yield "Bold: the highest value of its column."
    if Mark.TIED in used:
        yield (
            f"{MARKS[Mark.TIED]} inside the noise: the paired test does not tell it from the best "
            "of its column (Holm-adjusted within the column)."
        )
    if table.ranks:
        yield (
            f"Rank: mean over {table.ranked_columns} of {len(table.columns)} columns, those in "
            "which every system has a complete score; 1 is best. Its interval is over problems."
        )


def _seeds(table: Table, entries: Sequence[Entry]) -> Iterator[str]:
    counts = sorted({len(cell.rows) for _, _, cell in entries if cell.first.train_tasks})
    if counts and counts[0] < FINDING_SEEDS:
        number = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
        yield (
            f"Training seeds: {number}. Differences are between these trained models; call one a "
            f"finding about the methods from {FINDING_SEEDS} seeds on."
        )


def _synthetic(_: object, entries: Sequence[Entry]) -> Iterator[str]:
    columns = dict.fromkeys(column for _, column, cell in entries if cell.first.synthetic)
    if columns:
        labels = ", ".join(column.label for column in columns)
        where = "all columns" if len(columns) == len({each for _, each, _ in entries}) else labels
        yield (
            f"Synthetic data: {where}. These numbers compare modes with each other and nothing "
            "else; they are not comparable to any published benchmark."
        )


def _unseen(table: Table, entries: Sequence[Entry]) -> Iterator[str]:
    if any(cell.unseen for _, _, cell in entries):
        yield f"{UNSEEN} the model was not trained on this task."


def _missing(table: Table, entries: Sequence[Entry]) -> Iterator[str]:
    counts = "; ".join(
        f"{system.label} on {column.label} {cell.missing} of {cell.asked}"
        for system, column, cell in entries
        if cell.missing
    )
    if counts:
        yield (
            f"Missing items: {counts}. The infrastructure failed there, not the model; {AT_LEAST} "
            "is a lower bound over the full problem set and is neither ranked nor compared."
        )


def _absent(table: Table, entries: Sequence[Entry]) -> Iterator[str]:
    if len(entries) < len(table.systems) * len(table.columns):
        yield f"{ABSENT} not evaluated."


def _unavailable(table: Table, entries: Sequence[Entry]) -> Iterator[str]:
    if any(cell.value is None and not cell.missing for _, _, cell in entries):
        yield "n/a: not available, there are fewer samples per problem than k."


def _in_process(_: object, entries: Sequence[Entry]) -> Iterator[str]:
    counts = _counts(entries, lambda cell: cell.in_process)
    if counts:
        yield (
            f"In-process checker: {counts}. There the checker shares a process with the candidate, "
            "which could forge its verdict."
        )


def _no_code(table: Table, entries: Sequence[Entry]) -> Iterator[str]:
    counts = _counts(entries, lambda cell: cell.outcomes.get("no_code", 0))
    if counts:
        yield f"No code could be extracted: {counts}. Such samples count as failed."


def _made_with(table: Table, entries: Sequence[Entry]) -> Iterator[str]:
    rows = [row for _, _, cell in entries for row in cell.rows]
    facts = {
        "engine": {row.engine for row in rows},
        "sandbox": {row.sandbox for row in rows},
        "prompt format": {row.format for row in rows},
        "samples per problem (n)": {str(row.samples) for row in rows},
        "seeds": {str(row.seed) for row in rows if row.train_tasks},
    }
    said = (f"{name} {' and '.join(sorted(found))}" for name, found in facts.items() if found)
    yield f"Made with {', '.join(said)}."


def _published(table: Table, entries: Sequence[Entry]) -> Iterator[str]:
    if published_rows(table):
        yield NOTE


def _found(table: Table, finders: Iterable[_Finder]) -> tuple[str, ...]:
    entries = _entries(table)
    return tuple(note for find in finders for note in find(table, entries))


def _entries(table: Table) -> list[Entry]:
    return [
        (system, column, cell)
        for column in table.columns
        for system in table.systems
        if (cell := table.cell(system, column)) is not None
    ]


def _counts(entries: Iterable[Entry], count: Callable[[Cell], int]) -> str:
    """Write the cells whose count is not zero: "mft:task_token on sql (starter) 3 of 100".

    A column in which many are concerned gets one sum; the details of a board have every cell.
    """
    concerned: dict[Column, list[tuple[System, Cell]]] = {}
    for system, column, cell in entries:
        if count(cell):
            concerned.setdefault(column, []).append((system, cell))
    return "; ".join(
        part for column, cells in concerned.items() for part in _column_counts(column, cells, count)
    )


def _column_counts(
    column: Column, cells: Sequence[tuple[System, Cell]], count: Callable[[Cell], int]
) -> Iterator[str]:
    if len(cells) > NAMED_SYSTEMS:
        total = sum(count(cell) for _, cell in cells)
        asked = sum(sum(cell.outcomes.values()) for _, cell in cells)
        yield f"{len(cells)} systems on {column.label} {total} of {asked} samples"
        return
    for system, cell in cells:
        asked = sum(cell.outcomes.values())
        yield f"{system.label} on {column.label} {count(cell)} of {asked} samples"


_NOTES: tuple[_Finder, ...] = (
    _scale,
    _ends,
    _marks,
    _seeds,
    _synthetic,
    _unseen,
    _missing,
    _absent,
    _unavailable,
    _in_process,
    _no_code,
    _made_with,
    _published,
)
