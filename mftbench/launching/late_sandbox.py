"""A sandbox that is named before it is opened: its keys are known on nodes that have none."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from mftbench.contract import Execution, Limits, Program
from mftbench.errors import UsageError
from mftbench.sandbox.backend import Probe, Sandbox, UnusableError


class LateSandbox:
    """Stand in for the sandbox of a name and image digests; open it when a program is run."""

    def __init__(self, name: str, images: Mapping[str, str]) -> None:
        self.name = name
        self.retry_after_s = 0.2
        self._images = images
        self._lock = threading.Lock()
        self._opened: Sandbox | None = None

    def probe(self) -> Probe:
        """Open the sandbox and ask it."""
        return self._open().probe()

    def images(self) -> Mapping[str, str]:
        """Give the digests that were known beforehand."""
        return self._images

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run in the sandbox itself.

        Raises SandboxError if this node does not have the sandbox, or has other images for it.
        """
        return self._open().run(program, limits)

    def close(self) -> None:
        """Close the sandbox if it was opened."""
        with self._lock:
            if self._opened:
                self._opened.close()

    def _open(self) -> Sandbox:
        with self._lock:
            if self._opened is None:
                self._opened = self._equal()
            return self._opened

    def _equal(self) -> Sandbox:
        """Open the sandbox of this node if it is the one that was planned with."""
        from mftbench.sandbox.select import open_sandbox

        try:
            sandbox = open_sandbox(self.name)
        except UsageError as error:  # of this node: the study is right
            raise UnusableError(str(error)) from error
        if dict(sandbox.images()) != dict(self._images):
            sandbox.close()
            raise UnusableError(
                f"the images of sandbox {self.name!r} are other ones on this node; build "
                "or copy the same ones everywhere"
            )
        return sandbox
