"""Give memory back between models."""

from __future__ import annotations

import gc

import torch


def free_memory() -> None:
    """Free what nothing refers to any more, and let other processes have the GPU's share of it.

    A trainer and its callbacks refer to each other, so that only a collection ends them.
    """
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
