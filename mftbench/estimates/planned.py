"""What a run is expected to take, to be told beside what it took."""

from __future__ import annotations

from mftbench.bench import Bench
from mftbench.estimates.estimate import estimate
from mftbench.estimates.rates import read_rates
from mftbench.plan import plan


def planned_seconds(bench: Bench) -> float | None:
    """Estimate the cells that are not finished, on one device, from the store's measured rates.

    None where nothing was measured, nothing is left to make, or a model's size is not known.
    """
    rates = read_rates(bench.store.root)
    if rates is None:
        return None
    cells = plan(bench.study, bench.context())
    has = bench.store.has
    left = [
        cell
        for cell in cells
        if not all(has("score", each.keys["score"]) for each in cell.evaluations)
    ]
    return estimate(bench, left, rates).seconds if left else None
