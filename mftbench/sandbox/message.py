"""What a runner reads on its standard input: its request, its limits, its pipes, and the nonce.

Copied into containers with what carries steps out there: standard library only.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mftbench.contract import Limits

MAX_REPORT_BYTES = 16_000_000


@dataclass(frozen=True)
class Ends:
    """The descriptor numbers that a runner inherits; None where it has no such pipe."""

    report: int | None = None
    inbox: int | None = None
    outbox: int | None = None

    def numbers(self) -> tuple[int, ...]:
        """List those that are there."""
        return tuple(end for end in (self.report, self.inbox, self.outbox) if end is not None)


def message_file(
    request: bytes, limits: Limits, ends: Ends, nonce: str | None, counts_processes: bool
) -> int:
    """Write a runner's message into an unnamed file and return its descriptor, at the start.

    A file instead of a pipe: no writer is needed beside the reader, whatever the size.
    """
    rest = {
        "limits": _limits(limits, counts_processes),
        "nonce": nonce,
        "report": ends.report,
        "inbox": ends.inbox,
        "outbox": ends.outbox,
    }
    descriptor = _unnamed_file()
    # The request is JSON already; reading it only to write it again would cost more than the rest.
    body = b'{"request": ' + request + b", " + json.dumps(rest).encode("ascii")[1:]
    while body:
        body = body[os.write(descriptor, body) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _unnamed_file() -> int:
    if sys.platform == "linux":
        return os.memfd_create("message")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _limits(limits: Limits, counts_processes: bool) -> dict[str, float | None]:
    """Say the limits as a runner sets them."""
    return {
        "cpu_s": math.ceil(limits.cpu_s),
        "wall_s": limits.wall_s,
        "memory_bytes": limits.memory_mb << 20,
        "file_bytes": limits.files_mb << 20,
        "open_files": 256,
        "output_bytes": limits.output_bytes,
        "processes": limits.processes if counts_processes else None,
    }
