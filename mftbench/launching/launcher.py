"""The launcher protocol: somebody else runs a command, once or more, and says how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True)
class Needs:
    """What a job occupies while it runs. ``sandbox`` asks for a node that can run programs."""

    cpus: int = 1
    gpus: int = 0
    memory_mb: int = 0
    sandbox: bool = False


@dataclass(frozen=True)
class Job:
    """A command to run under a name of its own. Running it twice must do no harm."""

    name: str
    command: tuple[str, ...]
    needs: Needs = field(default_factory=Needs)
    environment: Mapping[str, str] = field(default_factory=dict)


class State(StrEnum):
    """Where a job is. LOST: its process was killed, or its machine went away."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Status:
    """How a job stands. An ended one has its exit code and what it wrote to standard output.

    ``reason`` is why one was lost, in one line, where the launcher knows.
    """

    state: State
    exit_code: int = 0
    output: str = ""
    reason: str = ""

    @property
    def over(self) -> bool:
        """Say whether nothing more will happen to the job."""
        return self.state not in (State.WAITING, State.RUNNING)


class Launcher(Protocol):
    """Run jobs somewhere, each at least once. Calls come from one thread and do not wait."""

    name: str

    def submit(self, job: Job) -> None:
        """Take a job; it begins when there is room. One that is over may be submitted again.

        Raises UsageError if the job needs more than there is anywhere.
        """

    def poll(self, name: str) -> Status:
        """Say how a submitted job stands."""
        ...

    def cancel(self, name: str) -> None:
        """End a job and everything that it started; one that is over stays as it is."""

    def logs(self, name: str) -> str:
        """Give what a submitted job has written to standard error so far."""
        ...

    def close(self) -> None:
        """Cancel what is not over and free what the launcher holds; ``poll`` still answers."""
