"""The steps of a run: each opens a window, fills it, closes it, and the balancer learns from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from mftbench.errors import UsageError
from mftbench.training.balancing.balancer import Balancer, Gradients
from mftbench.training.balancing.probe import Probe, Validation
from mftbench.training.balancing.statistics import BatchStatistics
from mftbench.training.batches import Batch
from mftbench.training.measuring import Measuring
from mftbench.training.task_gradients import MicroBatch, collect
from mftbench.training.ways import WAYS
from mftbench.training.window import SCOPES, Signals, StepRecord, Window, WindowShape


@dataclass(frozen=True)
class Balancing:
    """A balancer, over what it balances, and from where weights that need their batch come."""

    balancer: Balancer
    scope: str = "global"
    way: str = "exact"


class BalancedSteps:
    """Balance the steps of a run. Everything that must survive a resume is in ``state_dict``.

    Raises UsageError for a scope or way in which the balancer cannot work.
    """

    def __init__(
        self,
        balancing: Balancing,
        measuring: Measuring,
        parameters: Sequence[nn.Parameter],
        ranks: int = 1,
    ) -> None:
        check_balancing(balancing)
        self.balancing = balancing
        self.balancer = balancing.balancer
        self.measuring = measuring
        self.parameters = parameters
        self.ranks = ranks
        self.measured_first = 0
        waits = self.balancer.needs_losses or self.balancer.needs_gradients
        self._way = WAYS[balancing.way if waits else "exact"](self.balancer)
        self._batches: Sequence[Batch] = ()
        self._window: Window | None = None
        self._record: StepRecord | None = None

    @property
    def batches(self) -> Sequence[Batch]:
        """Give this rank's micro-batches of the step."""
        return self._batches

    @property
    def kept_apart(self) -> bool:
        """Say whether the tasks' gradients are kept apart, and ranks add them here."""
        return self.balancer.gradients is Gradients.PARAMETERS

    def open(self, batches: Sequence[Batch], counts: BatchStatistics, step: int) -> None:
        """Begin a step of these micro-batches; ``counts`` are of the whole global batch.

        Raises EngineError if what weights are made of is measured first and is not finite.
        """
        self._batches = batches
        self._window = SCOPES[self.balancing.scope](
            self.balancer,
            counts,
            WindowShape(len(batches), self.ranks, self.measuring.reduce, step),
            collect(self.balancer.gradients, len(counts.tokens), self.parameters),
            partial(self._signals, counts),
        )

    def add(self, micro: MicroBatch) -> Tensor:
        """Give one micro-batch's part of the balanced loss."""
        assert self._window is not None
        return self._window.add(micro)

    def finish(self) -> None:
        """Complete the gradient after the last backward pass."""
        assert self._window is not None
        self._window.finish()

    def close(self) -> StepRecord:
        """End the backward passes of a step, before the optimizer moves anything."""
        assert self._window is not None
        self._record = self._window.close()
        return self._record

    def learn(self, step: int, validation: Validation) -> None:
        """Let the balancer learn from the step that was taken."""
        assert self._record is not None
        record = self._record
        self._way.after_step(
            Probe(
                step=step,
                losses=record.losses,
                batch=record.batch,
                losses_after=partial(self.measuring.training_losses, self._batches, record.batch),
                gramian=record.gramian,
                validation=validation,
            )
        )

    def _signals(self, counts: BatchStatistics) -> Signals | None:
        """Give what weights are made of, or None where the window's one micro-batch has it."""
        balancer = self.balancer
        if not (balancer.needs_losses or balancer.needs_gradients):
            return Signals(counts.present.double())
        known = self._way.signals(counts)
        if known is None and len(self._batches) > 1:
            self.measured_first += 1
            return self._measure(counts)
        return known

    def _measure(self, counts: BatchStatistics) -> Signals:
        gradients = collect(self.balancer.gradients, len(counts.tokens), self.parameters)
        if gradients is None or not self.balancer.needs_gradients:
            return Signals(self.measuring.training_losses(self._batches, counts))
        measured = self.measuring.training_gradients(self._batches, counts, gradients)
        level = self.balancer.level
        products = gradients.gramian(level.count(counts), self.measuring.reduce)
        return Signals(measured.losses, products)

    def summary(self) -> dict[str, Any]:
        """Describe how weights were made, and in how many steps a pass was added to measure."""
        return {
            "scope": self.balancing.scope,
            "way": self.balancing.way,
            "measured_first": self.measured_first,
        }

    def state_dict(self) -> dict[str, Any]:
        """Give everything that a resumed run needs to go on as if it had never stopped."""
        return {
            "balancer": self.balancer.state_dict(),
            "way": self._way.state_dict(),
            "measured_first": self.measured_first,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self.balancer.load_state_dict(state["balancer"])
        self._way.load_state_dict(state["way"])
        self.measured_first = state["measured_first"]


def check_balancing(balancing: Balancing) -> None:
    """Raise UsageError for a scope or way in which a balancer cannot work."""
    name = f"balancer {type(balancing.balancer).__name__}"
    gradients = balancing.balancer.gradients
    if balancing.scope == "micro" and gradients is not Gradients.NONE:
        raise UsageError(f"{name} looks at gradients; give it the scope 'global', not 'micro'")
    if balancing.scope == "micro" and balancing.way == "deferred":
        raise UsageError(f"{name} in the scope 'micro' has nothing to defer; make its way 'exact'")
    if balancing.way == "deferred" and gradients is Gradients.PARAMETERS:
        raise UsageError(f"{name} keeps gradients apart in any case; make its way 'exact'")
