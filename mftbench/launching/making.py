"""One unit of work: make the artifacts of some keys of a study, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from mftbench.bench import Bench
from mftbench.errors import MftbenchError, UsageError
from mftbench.launching.only import Only
from mftbench.launching.report import Fault, Report
from mftbench.plan import Cell, Evaluation, plan
from mftbench.run import CellStages, Outcome, generate_group
from mftbench.store import STAGES, Unfinished


def make(bench: Bench, keys: Collection[str]) -> Report:
    """Make what the keys name; their inputs must be there. What is stored is not made again.

    Raises UsageError for a key that is not in the study's plan: then this node has other versions,
    data or images than the one that planned.
    """
    cells = plan(bench.study, bench.context())
    planned = {name for cell in cells for each in cell.evaluations for name in each.keys.values()}
    if unknown := sorted(set(keys) - planned):
        raise UsageError(
            f"key {unknown[0]!r} is not in the plan of study {bench.study.name!r} here; use equal "
            "versions, data and sandbox images on all nodes"
        )
    bench.store = Only(bench.store, keys)
    outcome = Outcome()
    faults: dict[str, Fault] = {}
    for stage in STAGES:
        narrowed = (_narrowed(cell, stage, keys) for cell in cells)
        parts = [CellStages(bench, cell, outcome) for cell in narrowed if cell.evaluations]
        faults |= _make_stage(stage, parts)
    return Report(outcome.made, len(set(keys)) - outcome.made - len(faults), faults)


def _narrowed(cell: Cell, stage: str, keys: Collection[str]) -> Cell:
    evaluations = tuple(each for each in cell.evaluations if each.keys[stage] in keys)
    return replace(cell, evaluations=evaluations)


def _make_stage(stage: str, cells: Sequence[CellStages]) -> dict[str, Fault]:
    faults: dict[str, Fault] = {}
    if stage == "generate" and cells:
        generate_group(cells)
    for cell in cells:
        for evaluation in cell.cell.evaluations:
            try:
                _MAKERS[stage](cell, evaluation)
            except (MftbenchError, Unfinished) as error:
                faults[evaluation.keys[stage]] = Fault.of(error)
    return faults


def _train(cell: CellStages, evaluation: Evaluation) -> object:
    return cell.train(evaluation.task)


_MAKERS: Mapping[str, Callable[[CellStages, Evaluation], object]] = {
    "train": _train,
    "generate": CellStages.generate,
    "execute": CellStages.execute,
    "score": CellStages.score,
}
