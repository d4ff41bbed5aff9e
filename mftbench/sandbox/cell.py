"""What a backend must give the supervisor: one confined process that can be watched and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mftbench.contract import Limits


@dataclass(frozen=True)
class Launch:
    """One process to start: its runner, standard streams, and inherited descriptors."""

    runner: str
    stdin: int
    stdout: int
    stderr: int
    inherit: tuple[int, ...]
    limits: Limits


@dataclass(frozen=True)
class Exit:
    """How a process ended: by itself, or by a signal."""

    code: int | None
    signal: int | None


class Cell(Protocol):
    """One started process and everything that it starts."""

    @property
    def pid(self) -> int:
        """The process whose end is the cell's end."""

    def exit(self) -> Exit | None:
        """Say how it ended, or None while it runs. Raises SandboxError if it never began."""

    def members(self, at_most: int) -> Sequence[int]:
        """List the processes that are alive in it, or that many of them."""

    def end(self) -> None:
        """Kill all of it and wait until nothing is left. Harmless if it has ended."""


class Jail(Protocol):
    """A backend's way of starting confined processes."""

    own_users: bool
    """Whether process counts are the cell's own."""

    def start(self, launch: Launch) -> Cell:
        """Start a process. Raises SandboxError."""
