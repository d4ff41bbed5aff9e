"""CoBa as MFTCoder's code has it, for comparison with the published rule."""

from __future__ import annotations

import torch
from torch import Tensor

from mftbench.training.balancing.methods.coba import CoBa


class CoBaMftcoder(CoBa):
    """CoBa with what MFTCoder's code adds: no clamp, a second softmax, and a floor.

    ``z = DF * RCS + (1 - DF) * ACS`` with DF above 1 where it comes out so; ``w = softmax(K z)``;
    if any weight is below ``1 / (10 K)``, ``w = 0.9 w + 1 / (10 K)``. Its accidents are left out:
    the slopes of a task that is absent from some batches, its shifted windows, its lost state.
    Source: MFTCoder 0.5, ``loss_utils.py``. Cost: as CoBa.
    """

    def blend(self, factor: Tensor, relative: Tensor, absolute: Tensor) -> Tensor:
        """Blend, then sharpen, then lift what is too small."""
        mixed = factor * relative + (1 - factor) * absolute
        weights = (len(mixed) * mixed).softmax(0)
        floor = 1 / (10 * len(mixed))
        return torch.where((weights < floor).any(), 0.9 * weights + floor, weights)


BALANCER = CoBaMftcoder
