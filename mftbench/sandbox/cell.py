"""What a backend must give the supervisor: one confined process that can be watched and ended.

Copied into containers: standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mftbench.sandbox.order import Exit

if TYPE_CHECKING:
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


class Cell(Protocol):
    """One started process and everything that it starts."""

    @property
    def pid(self) -> int:
        """The process whose end is the cell's end."""

    def exit(self) -> Exit | None:
        """Say how it ended, or None while it runs. Raises SandboxError if it never began."""

    def exit_event(self) -> int | None:
        """Open a descriptor that becomes readable at its end, or None where there is none."""

    def members(self, at_most: int) -> Sequence[int]:
        """List the processes that are alive in it, or that many of them."""

    def memory_bytes(self, members: Sequence[int]) -> int:
        """Say what they hold together, with nothing counted twice; may be slow."""

    def end(self) -> None:
        """Kill all of it and wait until nothing is left. Harmless if it has ended."""


class Jail(Protocol):
    """A backend's way of starting confined processes."""

    counts_processes: bool
    """Whether the kernel's limit on a user's processes counts those of one cell only."""

    def start(self, launch: Launch) -> Cell:
        """Start a process. Raises SandboxError."""
