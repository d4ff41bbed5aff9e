"""A stand-in for a Docker engine: its containers are threads that answer as they are told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mftbench.errors import SandboxError
from mftbench.sandbox.containers.engine import Found, Stream
from mftbench.sandbox.containers.images import IMAGE_LABEL, VERSION_LABEL
from mftbench.sandbox.frames import read_frame, write_frame

Answer = Callable[[Mapping[str, Any]], bytes | None]
"""Turn a step's header into the bytes of an answer, or None to end the container."""

_PYTHON = Found("sha256:python", {IMAGE_LABEL: "python", VERSION_LABEL: "3.11.2"})


def passing(header: Mapping[str, Any], *, clean: bool = True) -> bytes:
    """Answer that every process ended by itself and that the step's own proved a pass."""
    ends = [[0, None] for _ in header["runners"]]
    said = {"exits": ends, "limit": None, "stdout": "", "stderr": "", "dropped_bytes": 0}
    report = f'{{"nonce": "{header["nonce"]}", "report": {{"outcome": "passed", "checks": 1}}}}'
    return write_frame({**said, "clean": clean}, [report.encode()])


class FakeEngine:
    """An engine of one machine with two cores, with an image for Python."""

    def __init__(self, answer: Answer = passing) -> None:
        self.answer = answer
        self.running: dict[str, Mapping[str, Any]] = {}
        """Settings of the containers that are there, by id."""
        self.started = 0
        self.steps_each = 1_000_000
        """After how many steps a container ends by itself."""
        self.broken = False
        """Whether nothing works, as if the engine had been stopped."""

    def version(self) -> str:
        """Say a version."""
        return "fake"

    def cores(self) -> int:
        """Say two."""
        return 2

    def images(self, label: str) -> Sequence[Found]:
        """List the one image."""
        return [_PYTHON]

    def containers(self, label: str) -> Sequence[Found]:
        """List the containers that are there."""
        return [
            Found(container, settings["container"]["labels"])
            for container, settings in list(self.running.items())
        ]

    def start(self, settings: Mapping[str, Any]) -> tuple[str, Stream]:
        """Start a thread that serves the other end of a socket."""
        if self.broken:
            raise SandboxError("the engine is stopped")
        self.started += 1
        container = f"fake-{self.started}"
        self.running[container] = settings
        ours, theirs = socket.socketpair()
        threading.Thread(target=self._serve, args=(container, theirs), daemon=True).start()
        return container, ours

    def remove(self, container: str) -> None:
        """Forget a container."""
        self.running.pop(container, None)

    def build(self, context: bytes, options: Mapping[str, Any], say: Callable[[str], None]) -> str:
        """Build nothing."""
        return _PYTHON.id

    def output(self, image: str, command: Sequence[str]) -> str:
        """Say a version as an interpreter does."""
        return "Python 3.11.2\n"

    def close(self) -> None:
        """Close nothing."""

    def _serve(self, container: str, stream: socket.socket) -> None:
        """Do what a supervisor does, in packets of standard output."""
        with stream, stream.makefile("rb") as reader:

            def exactly(count: int) -> bytes:
                body = reader.read(count)
                if len(body) < count:
                    raise EOFError
                return body

            try:
                exactly(int.from_bytes(exactly(8), "big"))
                stream.sendall(_packet(write_frame({"python": "3.11.2"})))
                for _ in range(self.steps_each):
                    body = self.answer(read_frame(exactly)[0])
                    if body is None or self.broken:
                        return
                    stream.sendall(_packet(body))
            except (EOFError, OSError):
                return


def _packet(body: bytes) -> bytes:
    """Wrap bytes as an engine wraps standard output."""
    return bytes([1, 0, 0, 0]) + len(body).to_bytes(4, "big") + body
