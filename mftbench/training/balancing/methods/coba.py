"""CoBa: converge together; what diverges is held back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mftbench.training.balancing.balancer import BalancedTask, Balancer
from mftbench.training.balancing.convergence import acs, divergence, rcs
from mftbench.training.balancing.history import History, slopes
from mftbench.training.balancing.probe import Measured, Probe, Validation
from mftbench.training.balancing.statistics import BatchStatistics
from mftbench.training.balancing.weighted_mean import weighted_mean


class CoBa(Balancer):
    """Convergence balancer, as published.

    alpha_k is the slope of task k's last ``history`` validation losses, each over the loss before
    training. ``w_k = DF * RCS_k + (1 - DF) * ACS_k``, with the relative convergence score
    ``RCS = softmax_k(K alpha_k / sum_j |alpha_j|)``, the absolute one
    ``ACS = softmax_k(-n alpha_k / sum_u |alpha_k(u)|)`` over the last n slopes, and the divergence
    factor ``DF = min(t softmax_t(-tau t alpha_max(t) / sum_i |alpha_max(i)|), 1)``, alpha_max the
    slope of the largest loss ratio. DF's absolute values are those of MFTCoder's code: of the plain
    sum, as others restate the paper, a slope that turns upwards would raise DF. Uniform for the
    first ``warmup`` updates. Source: Gong et al., arXiv 2410.06741. Cost: a forward pass on
    validation rows every ``interval`` steps.
    """

    initial: Tensor
    updates: Tensor

    def __init__(
        self,
        tasks: Sequence[BalancedTask],
        warmup: int = 100,
        history: int = 200,
        tau: float = 5.0,
        interval: int = 1,
    ) -> None:
        super().__init__(tasks)
        self.warmup = warmup
        self.tau = tau
        self.interval = max(interval, 1)
        self.register_buffer("initial", torch.full((len(tasks),), torch.nan, dtype=torch.float64))
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        self.ratios = History(len(tasks), history)
        self.alphas = History(len(tasks), history)
        self.alpha_max = History(1)

    def forward(self, losses: Tensor, batch: BatchStatistics) -> Tensor:
        """Weigh the tasks by how they converge."""
        return weighted_mean(losses, self.convergence_weights(), batch.present)

    def before_training(self, validation: Validation) -> None:
        """Measure all validation rows, so that later losses are ratios to the first."""
        sums, counts = torch.zeros_like(self.initial), torch.zeros_like(self.initial)
        for index in range(len(validation)):
            measured = validation(index)
            count = self.level.count(measured.batch)
            sums += measured.losses * count
            counts += count
        self.initial.copy_(torch.where(counts > 0, sums / counts, torch.nan))

    def after_step(self, probe: Probe) -> None:
        """Measure the next validation batch and fit the slopes anew."""
        if probe.step % self.interval == 0:
            self._learn(probe.validation(probe.step // self.interval))

    def _learn(self, measured: Measured) -> None:
        losses = measured.losses.masked_fill(~measured.batch.present, torch.nan)
        first = self.initial.isnan() & ~losses.isnan()
        self.initial.copy_(torch.where(first, losses, self.initial))
        self.ratios.append(losses / self.initial.clamp(min=1e-12))
        self.updates += 1
        if self.updates >= max(self.warmup, 2):
            rows = self.ratios.rows
            largest = rows.nan_to_num(nan=-torch.inf).max(1, keepdim=True).values
            self.alphas.append(slopes(rows))
            self.alpha_max.append(slopes(largest.masked_fill(largest.isinf(), torch.nan)))

    def convergence_weights(self) -> Tensor:
        """Give the weights, (tasks,); they sum to 1."""
        if not len(self.alphas):
            return torch.full_like(self.initial, 1 / len(self.tasks))
        factor = divergence(self.alpha_max.rows[:, 0], self.tau)
        return self.blend(factor, rcs(self.alphas.rows[-1]), acs(self.alphas.rows))

    def blend(self, factor: Tensor, relative: Tensor, absolute: Tensor) -> Tensor:
        """Blend the scores by the divergence factor."""
        factor = factor.clamp(max=1)
        return factor * relative + (1 - factor) * absolute


BALANCER = CoBa
