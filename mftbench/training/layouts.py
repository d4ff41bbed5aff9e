"""How the rows of a global batch are laid out in micro-batches: padded side by side, or packed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mftbench.stages import Optim
from mftbench.training.attention import isolate_segments
from mftbench.training.batches import FILLER, Batch, collate_packed, collate_padded
from mftbench.training.isolation import Losses, require_isolation
from mftbench.training.packing import best_fit_decreasing
from mftbench.training.tokens import TokenRow


class Layout(Protocol):
    """Cuts rows into micro-batches and makes tensors of them; no loss depends on which it is."""

    def prepare(self, model: Any) -> None:
        """Make a model read what ``collate`` gives."""

    def check(self, losses: Losses, rows: Sequence[TokenRow], dtype: str) -> None:
        """Raise UsageError if the prepared model does not keep rows apart."""

    def cut(self, lengths: Sequence[int]) -> list[list[int]]:
        """Divide rows, by their positions, into micro-batches; every row is in exactly one."""

    def collate(self, rows: Sequence[TokenRow]) -> Batch:
        """Make one micro-batch of at least one row."""


@dataclass(frozen=True)
class Padded:
    """``rows`` rows side by side, as wide as the longest of them or, given ``width``, as that.

    ``group`` puts rows of similar length together.
    """

    tasks: int
    rows: int
    group: bool = True
    width: int | None = None

    def prepare(self, model: Any) -> None:
        """Leave the model as it is: every causal model keeps rows side by side apart."""

    def check(self, losses: Losses, rows: Sequence[TokenRow], dtype: str) -> None:
        """Find nothing to check."""

    def cut(self, lengths: Sequence[int]) -> list[list[int]]:
        """Cut the rows, longest first where they are grouped, every ``rows`` rows."""
        order = list(range(len(lengths)))
        if self.group:
            order.sort(key=lambda row: (-lengths[row], row))
        return [order[start : start + self.rows] for start in range(0, len(order), self.rows)]

    def collate(self, rows: Sequence[TokenRow]) -> Batch:
        """Pad on the right."""
        return collate_padded(rows, self.tasks, self.width)


@dataclass(frozen=True)
class Packed:
    """Rows of all tasks one after another in packs of at most ``capacity`` tokens; no padding."""

    tasks: int
    capacity: int

    def prepare(self, model: Any) -> None:
        """Exchange the model's attention for one that keeps rows of one sequence apart."""
        isolate_segments(model)

    def check(self, losses: Losses, rows: Sequence[TokenRow], dtype: str) -> None:
        """Hold the losses of packed rows to those of the rows alone."""
        require_isolation(losses, rows, dtype)

    def cut(self, lengths: Sequence[int]) -> list[list[int]]:
        """Pack by best-fit-decreasing."""
        return best_fit_decreasing(lengths, self.capacity)

    def collate(self, rows: Sequence[TokenRow]) -> Batch:
        """Concatenate; positions restart with every row."""
        return collate_packed(rows, self.tasks)


LAYOUTS: dict[str, Callable[[Optim, int], Layout]] = {
    "fixed": lambda optim, tasks: Padded(
        tasks, optim.batch, optim.group_by_length, optim.max_length
    ),
    "dynamic": lambda optim, tasks: Padded(tasks, optim.batch, optim.group_by_length),
    "packed": lambda optim, tasks: Packed(tasks, optim.pack_length or optim.max_length),
}
"""The layouts by the name that ``optim.padding`` gives them."""


def make_layout(optim: Optim, tasks: int) -> Layout:
    """Make the layout that ``optim.padding`` names."""
    return LAYOUTS[optim.padding](optim, tasks)


def micro_batches(
    layout: Layout, rows: Sequence[TokenRow], rank: int = 0, ranks: int = 1
) -> list[Batch]:
    """Lay a global batch out, and give one rank's share: as many micro-batches as the others'.

    All ranks cut the same rows in the same way; filler rows, which supervise nothing, make up the
    number.
    """
    cuts = layout.cut([len(row.input_ids) for row in rows])
    cuts += [[]] * (-len(cuts) % ranks)
    shares = ([rows[row] for row in cut] for cut in cuts[rank::ranks])
    return [layout.collate(share or [FILLER]) for share in shares]
