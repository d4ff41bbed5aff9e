"""From the artifacts that units have made to the outcome of a run, without making any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mftbench.bench import Bench
from mftbench.errors import MftbenchError, UsageError
from mftbench.launching.driving import Driven
from mftbench.launching.only import Only
from mftbench.plan import Cell
from mftbench.run import CellStages, Failure, Outcome


def collect(bench: Bench, cells: Sequence[Cell], driven: Driven) -> Outcome:
    """Give the rows of what is stored, and a failure for each cell that lacks something."""
    bench.store = Only(bench.store, (), driven.faults)
    outcome = Outcome()
    for cell in cells:
        stages = CellStages(bench, cell, outcome)
        untrained = _training_fault(cell, driven)
        if untrained:
            outcome.failures.append(Failure(cell.label, untrained))
            continue
        for evaluation in cell.evaluations:
            with _failing(stages, f", {evaluation.task}"):
                outcome.rows.extend(stages.rows(evaluation))
    outcome.made, outcome.found = driven.made, driven.found
    return outcome


@contextmanager
def _failing(stages: CellStages, where: str) -> Iterator[None]:
    """Keep also a usage error for the end: it was one node's, and all else is made."""
    try:
        with stages.failing(where):
            yield
    except UsageError as error:
        stages.outcome.failures.append(Failure(f"{stages.cell.label}{where}", error))


def _training_fault(cell: Cell, driven: Driven) -> MftbenchError | None:
    keys = {evaluation.keys["train"] for evaluation in cell.evaluations}
    errors = (driven.faults[key].error() for key in keys if key in driven.faults)
    return next((error for error in errors if isinstance(error, MftbenchError)), None)
