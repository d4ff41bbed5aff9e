"""From the artifacts that units have made to the outcome of a run, without making any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from mftbench.bench import Bench
from mftbench.errors import MftbenchError, UsageError
from mftbench.launching.driving import Driven
from mftbench.launching.only import Only
from mftbench.launching.report import Fault
from mftbench.pipeline.execute import EXECUTIONS
from mftbench.plan import Cell
from mftbench.run import CellStages, Failure, Outcome
from mftbench.store import Store, Unfinished


def collect(bench: Bench, cells: Sequence[Cell], driven: Driven | None = None) -> Outcome:
    """Give the rows of what is stored, and a failure for each cell that lacks something.

    ``driven`` says why it does, where the units were driven by this process.
    """
    known = driven.faults if driven else {}
    bench.store = Only(bench.store, (), _unfinished(bench.store, cells) | known)
    outcome = Outcome()
    for cell in cells:
        stages = CellStages(bench, cell, outcome)
        untrained = _training_fault(cell, known)
        if untrained:
            outcome.failures.append(Failure(cell.label, untrained))
            continue
        for evaluation in cell.evaluations:
            with _failing(stages, f", {evaluation.task}"):
                outcome.rows.extend(stages.rows(evaluation))
    if driven:
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


def _unfinished(store: Store, cells: Sequence[Cell]) -> dict[str, Fault]:
    """Find the scores whose executions were begun and not finished: their items can be judged."""
    return {
        evaluation.keys["score"]: _fault(name)
        for cell in cells
        for evaluation in cell.evaluations
        if (store.work("execute", name := evaluation.keys["execute"]) / EXECUTIONS).exists()
        and not store.has("execute", name)
    }


def _fault(name: str) -> Fault:
    return Fault(Unfinished.__name__, f"execute {name} is not finished; run it again")


def _training_fault(cell: Cell, faults: Mapping[str, Fault]) -> MftbenchError | None:
    keys = {evaluation.keys["train"] for evaluation in cell.evaluations}
    errors = (faults[key].error() for key in keys if key in faults)
    return next((error for error in errors if isinstance(error, MftbenchError)), None)
