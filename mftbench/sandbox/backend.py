"""The sandbox protocol: a program in, an execution out; its own failures are exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mftbench.contract import Execution, Limits, Program
from mftbench.errors import SandboxError


class UnusableError(SandboxError):
    """This machine cannot run such programs: trying again changes nothing."""


@dataclass(frozen=True)
class Probe:
    """Whether a backend can be used here, and the reason in one line."""

    usable: bool
    reason: str
    languages: Mapping[str, str]
    """Language to version for each that can run; items of a missing one are missing, not failed."""


class Sandbox(Protocol):
    """Run programs, from many threads at once."""

    name: str
    retry_after_s: float
    """How long to wait before a program that it failed on is tried again; doubled each time."""

    def probe(self) -> Probe:
        """Say whether this backend works on this machine, by running something small."""
        ...

    def images(self) -> Mapping[str, str]:
        """Map languages to the digests of what they run in; empty if it is this machine's own.

        They are part of the key of every execution.
        """
        ...

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run the steps in order until a required one does not pass. The program's own limits win.

        Raises SandboxError if the sandbox failed (not the program), or has no such language.
        """
        ...

    def close(self) -> None:
        """End and remove everything that this backend started."""
