"""Micro-batches through the model: for a step's loss, or to measure losses and gradients only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from mftbench.training.balancing.probe import Measured
from mftbench.training.balancing.statistics import BatchStatistics, Level
from mftbench.training.batches import Batch, statistics
from mftbench.training.randomness import forked_random
from mftbench.training.routing import Routing, Unrouted
from mftbench.training.task_gradients import MicroBatch, Reduce, TaskGradients
from mftbench.training.token_losses import forward_tokens, sums_by_task


@dataclass(frozen=True)
class Measuring:
    """How micro-batches are run: the model and its output head, the device, precision and ranks.

    ``place`` moves a micro-batch to the device, ``precision`` gives the context of a forward pass;
    ``routing`` tells the model its tokens' tasks.
    """

    module: nn.Module
    head: nn.Module | None
    level: Level
    place: Callable[[Batch], Batch]
    precision: Callable[[], AbstractContextManager[object]]
    reduce: Reduce
    routing: Routing = field(default_factory=Unrouted)

    def run(self, model: nn.Module, inputs: Batch) -> MicroBatch:
        """Run one micro-batch that is on the device, through the model or what wraps it."""
        with self.routing.told(inputs):
            found = forward_tokens(model, self.head, inputs)
        sums = sums_by_task(found.losses, inputs, self.level)
        return MicroBatch(sums, statistics(inputs), inputs["tasks"], found.hidden)

    def token_losses(self, batch: Batch) -> Tensor:
        """Give the loss of each supervised token of a micro-batch: (N,) float32."""
        inputs = self.place(batch)
        with self.precision(), self.routing.told(inputs):
            return forward_tokens(self.module, self.head, inputs).losses

    @torch.no_grad()
    def sums(self, batches: Sequence[Batch]) -> Tensor:
        """Measure losses by task over all ranks: (2, tasks) float64, in tokens and in units."""
        parts = [self._run(batch).sums.cpu() for batch in batches]
        return self.reduce(torch.stack(parts).double().sum(0))

    def training_losses(self, batches: Sequence[Batch], counts: BatchStatistics) -> Tensor:
        """Measure task losses as training sees them, without gradients: (tasks,) float64.

        Under a forked generator: dropout falls as it will in the pass with gradients, and nothing
        that is drawn later changes.
        """
        self.module.train()
        with forked_random():
            return self.sums(batches)[1] / self.level.count(counts).clamp(min=1)

    def training_gradients(
        self, batches: Sequence[Batch], counts: BatchStatistics, into: TaskGradients
    ) -> Measured:
        """Add the batches' task gradients to ``into``, and measure their losses by the way."""
        self.module.train()
        total = torch.zeros((2, len(counts.tokens)), dtype=torch.float64)
        with forked_random(), torch.enable_grad():
            for batch in batches:
                micro = self._run(batch)
                into.add(micro)
                total += micro.sums.detach().cpu()
        losses = self.reduce(total)[1] / self.level.count(counts).clamp(min=1)
        return Measured(losses, counts)

    def validation_losses(self, batches: Sequence[Batch]) -> Measured:
        """Measure task losses as they are without dropout."""
        self.module.eval()
        parts = [statistics(batch) for batch in batches]
        tokens, samples = self.reduce(
            torch.stack([torch.stack([part.tokens, part.samples]) for part in parts]).sum(0)
        )
        counts = BatchStatistics(tokens, samples)
        return Measured(self.sums(batches)[1] / self.level.count(counts).clamp(min=1), counts)

    def _run(self, batch: Batch) -> MicroBatch:
        inputs = self.place(batch)
        with self.precision():
            return self.run(self.module, inputs)
