"""Exact and deferred: where weights that depend on their own batch get what they are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor

from mftbench.training.balancing.balancer import Balancer
from mftbench.training.balancing.probe import Probe
from mftbench.training.balancing.statistics import BatchStatistics
from mftbench.training.window import Signals


class Way(Protocol):
    """How a balancer is told of its batches; its own state travels in every checkpoint."""

    def signals(self, batch: BatchStatistics) -> Signals | None:
        """Give what is known before a batch is run, or None where that does not do for it."""

    def after_step(self, probe: Probe) -> None:
        """Let the balancer learn from a step."""

    def state_dict(self) -> dict[str, Any]:
        """Give what a resumed run needs."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""


class Exact:
    """Weights of the batch's own losses and gradients, and every step learned from at once."""

    def __init__(self, balancer: Balancer) -> None:
        self.balancer = balancer

    def signals(self, batch: BatchStatistics) -> Signals | None:
        """Give nothing: what is needed of the batch is measured."""
        return None

    def after_step(self, probe: Probe) -> None:
        """Pass the probe on."""
        self.balancer.after_step(probe)

    def state_dict(self) -> dict[str, Any]:
        """Give nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take nothing."""


class Deferred:
    """The statistics of earlier steps in place of the batch's own: no pass is ever added.

    Weights are made of each task's latest losses and gradients; a batch with a task that was never
    seen before is measured. A step is learned from when the next one has been taken, whose losses
    then stand for the losses after the step; of a task that is absent there, nothing has changed.
    """

    def __init__(self, balancer: Balancer) -> None:
        self.balancer = balancer
        tasks = len(balancer.tasks)
        self._losses = torch.zeros(tasks, dtype=torch.float64)
        self._seen = torch.zeros(tasks, dtype=torch.bool)
        self._gramian = torch.zeros((tasks, tasks), dtype=torch.float64)
        self._waiting: dict[str, Any] = {}

    def signals(self, batch: BatchStatistics) -> Signals | None:
        """Give the latest statistics, if there are any of each task in the batch."""
        if not self._seen[batch.present].all():
            return None
        return Signals(self._losses * batch.present, self._gramian)

    def after_step(self, probe: Probe) -> None:
        """Learn from the step before, and keep this one."""
        present = probe.batch.present
        if self._waiting:
            before = _probe(self._waiting, probe)
            losses_after = torch.where(present, probe.losses, before.losses)
            self.balancer.after_step(replace(before, losses_after=lambda: losses_after))
        self._losses = torch.where(present, probe.losses, self._losses)
        self._seen = self._seen | present
        if probe.gramian is not None:
            both = torch.outer(present, present)
            self._gramian = torch.where(both, probe.gramian, self._gramian)
        self._waiting = _plain(probe)

    def state_dict(self) -> dict[str, Any]:
        """Give the latest statistics and the step that is still to be learned from."""
        return {
            "losses": self._losses,
            "seen": self._seen,
            "gramian": self._gramian,
            "waiting": self._waiting,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._losses, self._seen = state["losses"], state["seen"]
        self._gramian, self._waiting = state["gramian"], state["waiting"]


def _plain(probe: Probe) -> dict[str, Tensor | int | None]:
    return {
        "step": probe.step,
        "losses": probe.losses,
        "tokens": probe.batch.tokens,
        "samples": probe.batch.samples,
        "gramian": probe.gramian,
    }


def _probe(kept: Mapping[str, Any], latest: Probe) -> Probe:
    """Make the probe of an earlier step, which looks at the model as it is now."""
    batch = BatchStatistics(kept["tokens"], kept["samples"])
    return replace(
        latest, step=kept["step"], losses=kept["losses"], batch=batch, gramian=kept["gramian"]
    )


WAYS: dict[str, Callable[[Balancer], Way]] = {"exact": Exact, "deferred": Deferred}
