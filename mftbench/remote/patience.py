"""A place that may be away for a while: asked again for so long, then one line that says so."""

from __future__ import annotations

import errno
import logging
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mftbench.errors import StoreError
from mftbench.remote.objects import Objects

_LOG = logging.getLogger(__name__)

PATIENCE_S = 600.0
"""Longer than a server's restart, shorter than anybody wants a node to stand idle."""
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0

_REFUSALS = (PermissionError, FileNotFoundError, NotImplementedError, TypeError, ValueError)

Result = TypeVar("Result")


class Patient:
    """Objects of a place that is asked again, more and more rarely, while it does not answer.

    Every call raises StoreError if the place refuses, or is still away after ``patience_s``.
    ``told`` hears once of every wait; by default that stands on standard error. An answer that got
    lost on its way changes nothing: what is there is compared with what was to be made.
    """

    def __init__(
        self,
        objects: Objects,
        patience_s: float = PATIENCE_S,
        told: Callable[[str], None] = _LOG.warning,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.objects = objects
        self.url = objects.url
        self._patience_s = patience_s
        self._told = told
        self._sleep = sleep

    def read(self, name: str) -> bytes | None:
        """Give an object, or None."""
        return self._asked(lambda: self.objects.read(name))

    def create(self, name: str, data: bytes) -> bool:
        """Make an object that is not there; ``data`` must be nobody else's."""
        return self._asked(lambda: self.objects.create(name, data)) or self.read(name) == data

    def replace(self, name: str, data: bytes) -> None:
        """Make or replace an object."""
        self._asked(lambda: self.objects.replace(name, data))

    def delete(self, name: str) -> None:
        """Remove an object."""
        self._asked(lambda: self.objects.delete(name))

    def names(self, folder: str) -> list[str]:
        """List a folder."""
        return self._asked(lambda: self.objects.names(folder))

    def upload(self, file: Path, name: str) -> None:
        """Make an object of a file."""
        self._asked(lambda: self.objects.upload(file, name))

    def download(self, name: str, file: Path) -> None:
        """Write an object to a file."""
        self._asked(lambda: self.objects.download(name, file))

    def _asked(self, call: Callable[[], Result]) -> Result:
        waited, pause = 0.0, _FIRST_PAUSE_S
        while True:
            begun = time.monotonic()
            try:
                return call()
            except Exception as error:
                if _refused(error):
                    raise StoreError(
                        f"the store at {self.url} refuses: {_reason(error)}; what is published is "
                        "kept: mend it or set --store, then run again"
                    ) from error
                waited += time.monotonic() - begun
                if waited >= self._patience_s:
                    raise StoreError(
                        f"the store at {self.url} has not answered for {waited:.0f} s: "
                        f"{_reason(error)}; what is published is kept: run again when it is back"
                    ) from error
            if pause == _FIRST_PAUSE_S:
                self._told(f"waiting for the store at {self.url}")
            pause = min(pause * random.uniform(1.5, 2.0), _LONGEST_PAUSE_S)
            self._sleep(pause)
            waited += pause


def _refused(error: Exception) -> bool:
    """Say whether asking again cannot help: no right, no such bucket, no room on this disk."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        return True
    return isinstance(error, _REFUSALS) or _lacks_credentials(error)


def _lacks_credentials(error: Exception) -> bool:
    try:
        from botocore.exceptions import NoCredentialsError
    except ImportError:
        return False
    return isinstance(error, NoCredentialsError)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
