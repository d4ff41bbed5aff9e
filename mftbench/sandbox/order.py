"""The records between who asks for a step and who carries it out, here or in a container.

Copied into containers with what carries steps out there: standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from mftbench.contract import Limits

Limit = Literal["timeout", "out_of_memory", "output_limit"]


@dataclass(frozen=True)
class Role:
    """One process of a step: its runner, a path below ``sandbox/``, and its request as JSON."""

    runner: str
    request: bytes


@dataclass(frozen=True)
class Order:
    """One step to carry out: its own role first, then its peer's. The nonce is the first's."""

    language: str
    roles: Sequence[Role]
    limits: Limits
    nonce: str


@dataclass(frozen=True)
class Exit:
    """How a process ended: by itself, or by a signal."""

    code: int | None
    signal: int | None


@dataclass(frozen=True)
class Ended:
    """How a step ended: its processes (None: alive until the end), the limit, what was written.

    ``stdout`` and ``stderr`` are head and tail of all roles', in order; ``report`` is unproved.
    """

    exits: Sequence[Exit | None]
    limit: Limit | None
    stdout: str
    stderr: str
    dropped_bytes: int
    report: bytes
