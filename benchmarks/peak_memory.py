"""Peak memory of this process, for measured trainings: ours and the peer's."""

from __future__ import annotations

import resource

import torch


def peak_mb() -> float:
    """Give the most memory that the process had: of the GPU where there is one, else of all."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
