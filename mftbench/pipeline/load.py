"""What a study asks of its engine, and which engine it therefore gets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mftbench.inference.automatic import AUTO, Choice, Load, choose, fastest_dtype
from mftbench.plan import Cell, plan

if TYPE_CHECKING:
    from mftbench.bench import Bench

_UNKNOWN = 1_000_000_000
"""Parameters of a model whose files are not here: so many that vLLM is worth its start."""


def chosen(bench: Bench) -> Choice:
    """Give the study's engine as it names it, or choose one for all that the study generates."""
    study = bench.study
    dtype = fastest_dtype() if study.engine_dtype == AUTO else study.engine_dtype
    named = Choice(study.engine, study.engine_options, dtype, "named by the study")
    if study.engine != AUTO:
        return named
    cells = plan(study, bench.context_with(named))
    return choose(_load(bench, cells), study.engine_options, dtype)


def _load(bench: Bench, cells: Iterable[Cell]) -> Load:
    sizes = [_size(model) for model in bench.study.models]
    tokens = sum(_tokens(bench, cell) for cell in cells)
    return Load(tokens, sum(sizes) // len(sizes), len(sizes))


def _size(model: str) -> int:
    """Give a model's parameters by its published shape, else by its files."""
    from mftbench.estimates.shapes import KNOWN
    from mftbench.models.size import parameters

    known = KNOWN.get(model.partition("@")[0])
    return known.parameters if known else parameters(model) or _UNKNOWN


def _tokens(bench: Bench, cell: Cell) -> int:
    """Bound the tokens that a cell generates."""
    total = 0
    for evaluation in cell.evaluations:
        spec = evaluation.generate
        limit = bench.asked(spec.task, spec.source).prompt.max_new_tokens
        answers = len(bench.problems(spec.task, spec.source)) * spec.sampling.n
        total += answers * (spec.sampling.max_new_tokens or limit)
    return total
