"""A child process that ends with whoever started it, also when that is killed."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

_PR_SET_PDEATHSIG = 1
_PATIENCE_S = 5.0

Child = subprocess.Popen[bytes]


def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    output: IO[bytes] | int,
    log: IO[bytes] | int,
) -> Child:
    """Start a command in a session of its own, with some variables added to ours."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=log,
        env=os.environ | dict(environment),
        start_new_session=True,
        preexec_fn=_END_WITH_PARENT,
    )


def end(child: Child) -> None:
    """Ask a child's session to end, and end it after a few seconds."""
    ask_to_end(child)
    with suppress(subprocess.TimeoutExpired):
        child.wait(_PATIENCE_S)
    sweep(child)
    child.wait()


def ask_to_end(child: Child) -> None:
    """Ask a child's session to end, and do not wait."""
    _signal(child, signal.SIGTERM)


def sweep(child: Child) -> None:
    """Kill what is left of a child's session."""
    _signal(child, signal.SIGKILL)


def _signal(child: Child, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def _end_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


# Looked up before any fork: between fork and exec nothing may be loaded.
_LIBC = ctypes.CDLL(None)
_END_WITH_PARENT = _end_with_parent if sys.platform == "linux" else None
