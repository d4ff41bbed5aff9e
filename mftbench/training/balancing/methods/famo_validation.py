"""FAMO on validation losses: what is kept even is how fast the tasks get better, not fit."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mftbench.training.balancing.balancer import BalancedTask
from mftbench.training.balancing.methods.famo import Famo
from mftbench.training.balancing.probe import Measured, Probe, Validation


class FamoValidation(Famo):
    """FAMO whose relative improvements are those of validation losses: Eq. 4 of MFTCoder.

    As ``Famo``, with ``c_k = log l_k(theta) - log l_k(theta')`` of a validation batch, another one
    in every step. Source: Liu et al., arXiv 2311.02303, section 3.5. Cost: two forward passes on
    validation rows, and in the exact way one on the batch where it is accumulated.
    """

    judge: Tensor

    def __init__(
        self, tasks: Sequence[BalancedTask], lr: float = 0.025, weight_decay: float = 0.001
    ) -> None:
        super().__init__(tasks, lr, weight_decay)
        # Losses and tokens of the validation batch that the next step is judged by.
        self.register_buffer("judge", torch.zeros((2, len(tasks)), dtype=torch.float64))

    def before_training(self, validation: Validation) -> None:
        """Measure the batch that the first step is judged by."""
        self._keep(validation(1))

    def after_step(self, probe: Probe) -> None:
        """Judge the step by its batch, and measure that of the next."""
        before, tokens = self.judge
        present = probe.batch.present & (tokens > 0)
        if present.any():
            self.learn(before, probe.validation(probe.step).losses, present)
        self._keep(probe.validation(probe.step + 1))

    def _keep(self, measured: Measured) -> None:
        self.judge.copy_(torch.stack([measured.losses, measured.batch.tokens.double()]))


BALANCER = FamoValidation
