"""A sandbox that is named before it is opened: its keys are known on nodes that have none."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from mftbench.contract import Execution, Limits, Program
from mftbench.errors import SandboxError
from mftbench.sandbox.backend import Probe, Sandbox


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

        Raises SandboxError if the images of this node are other ones.
        """
        return self._open().run(program, limits)

    def close(self) -> None:
        """Close the sandbox if it was opened."""
        with self._lock:
            if self._opened:
                self._opened.close()

    def _open(self) -> Sandbox:
        from mftbench.sandbox.select import open_sandbox

        with self._lock:
            if self._opened is None:
                sandbox = open_sandbox(self.name)
                if dict(sandbox.images()) != dict(self._images):
                    sandbox.close()
                    raise SandboxError(
                        f"the images of sandbox {self.name!r} are other ones on this node; build "
                        "or copy the same ones everywhere"
                    )
                self._opened = sandbox
            return self._opened
