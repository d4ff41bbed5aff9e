"""What a unit of work came to: one line on its standard output, read by whoever launched it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from mftbench.canonical import dumps, plain
from mftbench.errors import (
    EngineError,
    MftbenchError,
    PluginError,
    SandboxError,
    StoreError,
    UsageError,
)
from mftbench.records import from_json
from mftbench.store import Unfinished

_KINDS: Mapping[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (EngineError, SandboxError, PluginError, UsageError, StoreError, Unfinished)
}


@dataclass(frozen=True)
class Fault:
    """Why an artifact was not made: the name of an error of ours, and its message."""

    kind: str
    message: str

    @classmethod
    def of(cls, error: MftbenchError | Unfinished) -> Fault:
        """Describe an error."""
        known = next(name for name in _KINDS if isinstance(error, _KINDS[name]))
        return cls(type(error).__name__ if type(error).__name__ in _KINDS else known, str(error))

    @property
    def fatal(self) -> bool:
        """Say whether every later stage would fail the same way: the store refuses writes."""
        return self.kind == StoreError.__name__

    def error(self) -> Exception:
        """Give the error that was described."""
        return _KINDS[self.kind](self.message)


@dataclass(frozen=True)
class Report:
    """Counts of artifacts, and the fault of each key that was not made."""

    made: int = 0
    found: int = 0
    faults: Mapping[str, Fault] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """Give 0 if everything is there, 2 if the store refuses, else 1."""
        if any(fault.fatal for fault in self.faults.values()):
            return StoreError.exit_code
        return 1 if self.faults else 0


def to_line(report: Report) -> str:
    """Write a report as one line."""
    return dumps(plain(report))


def from_output(output: str) -> Report | None:
    """Read the report at the end of a command's output, or None if there is none."""
    try:
        return from_json(Report, json.loads(output.strip().rpartition("\n")[2]))
    except ValueError:
        return None
