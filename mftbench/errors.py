"""The error hierarchy, and the one place that says who is to blame for an escaped exception.

MftbenchError
├─ UsageError     the study, the data or the command is wrong     exit 2, one line
├─ PluginError    a task, balancer or engine broke its contract   names plugin, function, item
├─ EngineError    training, generation or execution failed        retryable; never becomes a score
│  └─ SandboxError    the sandbox itself failed, not the program in it
└─ StoreError     an artifact is corrupt, or the disk refused a write
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class MftbenchError(Exception):
    """Base of every error that is shown as one line and without a traceback."""

    exit_code = 1


class UsageError(MftbenchError):
    """The study, the data or the command line is wrong; the message says how to mend it."""

    exit_code = 2


class PluginError(MftbenchError):
    """A plugin broke its contract; the message names the plugin, the function and the item."""

    exit_code = 2


class EngineError(MftbenchError):
    """Training, generation or execution failed for a reason that is not the model's."""


class SandboxError(EngineError):
    """The sandbox failed, not the program in it: retried, then reported as a missing item."""


class StoreError(MftbenchError):
    """An artifact is corrupt, or could not be written: the command ends at once."""

    exit_code = 2


def unknown(kind: str, name: str, known: Iterable[str], where: str = "") -> UsageError:
    """Build the error for an unknown name, with the nearest known one as a suggestion."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names) or 'none'}"
    place = f" in {where}" if where else ""
    return UsageError(f"unknown {kind} {name!r}{place}; {hint}")


def require(kind: str, name: str, known: Iterable[str], where: str = "") -> None:
    """Raise the error for an unknown name if it is one."""
    names = tuple(known)
    if name not in names:
        raise unknown(kind, name, names, where)


@contextmanager
def boundary(plugin: str, function: str, item: str = "") -> Iterator[None]:
    """Turn whatever a plugin's function raises into a PluginError that names the culprit.

    Errors of our own hierarchy pass through unchanged: they already say who is to blame.
    """
    try:
        yield
    except MftbenchError:
        raise
    except Exception as error:
        place = f" on {item}" if item else ""
        raise PluginError(
            f"{plugin}: {function}() raised {type(error).__name__}{place}: {error}"
        ) from error
