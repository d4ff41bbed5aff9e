"""What goes into a runner and what counts as proof when it comes out."""

from __future__ import annotations

import hmac
import json
import math
import os
import platform
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from mftbench.contract import JsonValue, Limits, Report

MAX_REPORT_BYTES = 16_000_000
_REPORT = TypeAdapter(Report)


@dataclass(frozen=True)
class Ends:
    """The descriptor numbers that a runner inherits; None where it has no such pipe."""

    report: int | None = None
    inbox: int | None = None
    outbox: int | None = None

    def numbers(self) -> tuple[int, ...]:
        """List those that are there."""
        return tuple(end for end in (self.report, self.inbox, self.outbox) if end is not None)


def new_nonce() -> str:
    """Draw the secret of one step."""
    return secrets.token_hex(16)


def message_file(
    request: Mapping[str, JsonValue], limits: Limits, ends: Ends, nonce: str | None, per_user: bool
) -> int:
    """Write a runner's message into an unnamed file and return its descriptor, at the start.

    A file instead of a pipe: no writer is needed beside the reader, whatever the size.
    """
    message = {
        "request": request,
        "limits": _limits(limits, per_user),
        "nonce": nonce,
        "report": ends.report,
        "inbox": ends.inbox,
        "outbox": ends.outbox,
    }
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(message).encode("ascii"))
        file.flush()
        descriptor = os.dup(file.fileno())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def read_report(body: bytes, nonce: str) -> Report | None:
    """Take the report if it is exactly one message with this nonce, else None."""
    try:
        message = json.loads(body)
        given = message["nonce"]
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
            return None
        return _REPORT.validate_python(message["report"])
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
        return None


def _limits(limits: Limits, per_user: bool) -> dict[str, JsonValue]:
    """Say the limits as a runner sets them. ``per_user``: it has a user namespace of its own."""
    return {
        "cpu_s": math.ceil(limits.cpu_s),
        "wall_s": limits.wall_s,
        "memory_bytes": limits.memory_mb << 20,
        "file_bytes": limits.files_mb << 20,
        "open_files": 256,
        "output_bytes": limits.output_bytes,
        # Counted per user on older kernels, and per user of the whole machine outside a sandbox:
        # there it would hit our own processes, and the watch alone must do.
        "processes": limits.processes if per_user and _counts_per_namespace() else None,
    }


def _counts_per_namespace() -> bool:
    """Say whether RLIMIT_NPROC counts within a user namespace (Linux 5.14 and later)."""
    release = platform.release().split("-")[0].split(".")
    try:
        return (int(release[0]), int(release[1])) >= (5, 14)
    except (ValueError, IndexError):
        return False
