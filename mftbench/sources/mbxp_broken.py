"""MBXP's training solutions that fail their own tests, found by running them all."""

from __future__ import annotations

BROKEN: dict[str, frozenset[int]] = {
    "python": frozenset(),
    "java": frozenset(),
    "cpp": frozenset(),
    "javascript": frozenset(),
}
