"""Give memory back between models, and know the errors that say it has ended."""

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


def out_of_memory(error: RuntimeError) -> bool:
    """Say whether memory has ended; for a processor's, torch raises a plain RuntimeError."""
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)
