"""Passes that draw random numbers, and leave what is drawn after them as it would have been."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def forked_random() -> Iterator[None]:
    """Put the random state of the processor and of this process' own GPU back on leaving.

    torch's default forks the states of all GPUs, which takes memory on each of them.
    """
    own = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(own):
        yield
