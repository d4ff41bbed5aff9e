"""A study's estimates, cell by cell, with what each of them rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from mftbench.bench import Bench
from mftbench.errors import MftbenchError
from mftbench.estimates.memory import BASIS, Memory, generating_memory, training_memory
from mftbench.estimates.rates import Rates
from mftbench.estimates.shapes import shape_of
from mftbench.estimates.work import CHARACTERS_PER_TOKEN, Sizes, Work
from mftbench.plan import Cell


@dataclass(frozen=True)
class Estimate:
    """One cell: its work, one device's memory in both stages, and seconds by stage if known.

    Memory and seconds are None where the model's size or the machine's rates are not known.
    """

    cell: str
    parameters: int | None
    work: Work
    training: Memory | None
    generating: Memory | None
    seconds: Mapping[str, float] | None


@dataclass(frozen=True)
class Estimates:
    """All cells, and one line for each thing that the figures rest on."""

    cells: tuple[Estimate, ...]
    basis: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """Add up the time of all cells on one device, one after the other."""
        known = [sum(each.seconds.values()) for each in self.cells if each.seconds]
        return sum(known) if len(known) == len(self.cells) else None


def estimate(bench: Bench, cells: Sequence[Cell], rates: Rates | None) -> Estimates:
    """Estimate every cell of a plan; loads data and tokenizers, and no model."""
    choice = bench.choice
    basis = {f"engine: {choice.engine} in {choice.dtype}, {choice.reason}": None}

    @cache
    def sizes(model: str) -> Sizes:
        count, counted_by = _counter(model)
        basis[f"tokens of {model}: {counted_by} of some 200 rows a data set"] = None
        return Sizes(bench, count)

    made = tuple(_cell(cell, sizes(cell.model).of(cell), rates) for cell in cells)
    basis["new tokens: an upper bound, every answer at its full length"] = None
    for model in dict.fromkeys(cell.model for cell in cells):
        found = shape_of(model)
        told = f"{found[0].parameters / 1e6:,.1f} M weights by {found[1]}" if found else "not known"
        basis[f"size of {model}: {told}"] = None
    basis[BASIS] = None
    basis[rates.basis if rates else "time: not known; measure with --calibrate, or --tflops"] = None
    return Estimates(made, tuple(basis))


def _cell(cell: Cell, work: Work, rates: Rates | None) -> Estimate:
    found = shape_of(cell.model)
    if found is None or not cell.evaluations:
        return Estimate(cell.label, None, work, None, None, None)
    shape, spec = found[0], cell.evaluations[0].generate
    length = (work.prompt_tokens + work.new_tokens) // max(work.generations, 1)
    generating = generating_memory(shape, spec.sampling, spec.dtype, length)
    train = cell.train
    training = training_memory(shape, train.adapter, train.optim) if train else None
    seconds = None
    if rates:
        full = train is None or train.adapter.kind == "full"
        seconds = rates.seconds(work, shape.parameters, frozen_base=not full)
    return Estimate(cell.label, shape.parameters, work, training, generating, seconds)


def _counter(model: str) -> tuple[Callable[[str], float], str]:
    """Give what counts tokens: the model's tokenizer, or characters where it is not here."""
    from mftbench.models import load_tokenizer

    try:
        tokenizer = load_tokenizer(model)
    except (MftbenchError, OSError):
        return lambda text: len(text) / CHARACTERS_PER_TOKEN, (
            f"characters divided by {CHARACTERS_PER_TOKEN}, as its tokenizer is not here,"
        )
    return lambda text: len(tokenizer.encode(text)), "its tokenizer's"
