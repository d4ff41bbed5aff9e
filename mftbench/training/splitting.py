"""Which examples validate: decided by a hash of each example's id alone."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def place(name: str) -> float:
    """Give an id's place in [0, 1)."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64


def held_out(places: NDArray[Any], share: float) -> NDArray[np.bool_]:
    """Say which rows validate, by the places of their ids: (rows,).

    The lowest ``share`` of places do. Rows of one id are on one side; two or more distinct ids give
    at least one to each side if the share is positive.
    """
    if share <= 0:
        return np.zeros(len(places), dtype=bool)
    ranked = np.unique(places)
    count = int((ranked < share).sum())
    if len(ranked) >= 2:
        count = min(max(count, 1), len(ranked) - 1)
    return np.asarray(places < ranked[count] if count < len(ranked) else places >= 0)
