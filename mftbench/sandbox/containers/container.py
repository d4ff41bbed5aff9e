"""One running container: its supervisor's end of the stream, and the steps that it carries out."""

from __future__ import annotations

import ssl
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from mftbench.errors import SandboxError
from mftbench.sandbox.containers.archive import supervisor_archive
from mftbench.sandbox.containers.engine import Engine, Stream
from mftbench.sandbox.containers.profile import Size
from mftbench.sandbox.frames import MalformedFrameError, read_frame, write_frame
from mftbench.sandbox.message import MAX_REPORT_BYTES
from mftbench.sandbox.order import Ended, Exit, Order

_START_S = 60.0
_GRACE_S = 30.0  # beyond a step's wall time: ending its processes, and a busy machine
_CHUNK = 1 << 16
_SAID_BYTES = 2000


class Container:
    """A container that has started. One step at a time; broken for good after a SandboxError."""

    def __init__(self, engine: Engine, image: str, size: Size, settings: Mapping[str, Any]) -> None:
        """Start it and wait for its supervisor. Raises SandboxError."""
        self.image = image
        self.size = size
        self.steps = 0
        self.clean = True
        """Whether nothing but itself ended the last step, and nothing is left of it."""
        self._engine = engine
        self._id, stream = engine.start(settings)
        self._stream = _Demultiplexed(stream)
        try:
            archive = supervisor_archive()
            self._exchange(len(archive).to_bytes(8, "big") + archive, _START_S)
        except BaseException:
            self.remove()
            raise

    def carry_out(self, order: Order) -> Ended:
        """Carry out one step. Raises SandboxError if the container failed, not the step."""
        self.clean = False
        self.steps += 1
        request = {
            "language": order.language,
            "runners": [role.runner for role in order.roles],
            "limits": asdict(order.limits),
            "nonce": order.nonce,
        }
        frame = write_frame(request, [role.request for role in order.roles])
        header, parts = self._exchange(frame, order.limits.wall_s + _GRACE_S)
        try:
            ended, self.clean = _read_ended(header, parts)
        except (KeyError, TypeError, ValueError) as error:
            raise SandboxError(f"a container gave an answer that is none: {error}") from None
        return ended

    @property
    def lost(self) -> bool:
        """Say whether it ended while nothing was asked of it."""
        return self._stream.ended()

    def remove(self) -> None:
        """End and remove it. Harmless if it is gone."""
        self._stream.close()
        self._engine.remove(self._id)

    def _exchange(self, body: bytes, patience_s: float) -> tuple[dict[str, Any], list[bytes]]:
        try:
            self._stream.begin(patience_s)
            self._stream.sendall(body)
            header, parts = read_frame(self._stream.exactly)
        except (OSError, EOFError, MalformedFrameError) as error:
            said = self._stream.said() or str(error) or type(error).__name__
            raise SandboxError(f"a container ended, or was lost: {said}") from None
        if "error" in header:
            raise SandboxError(f"a step could not be run in its container: {header['error']}")
        return header, parts


def _read_ended(header: Mapping[str, Any], parts: list[bytes]) -> tuple[Ended, bool]:
    [report] = parts
    if len(report) > MAX_REPORT_BYTES + 1:
        raise ValueError(f"a report of {len(report)} bytes")
    exits = [None if end is None else Exit(*end) for end in header["exits"]]
    ended = Ended(
        exits=exits,
        limit=header["limit"],
        stdout=header["stdout"],
        stderr=header["stderr"],
        dropped_bytes=header["dropped_bytes"],
        report=report,
    )
    return ended, bool(header["clean"])


class _Demultiplexed:
    """The engine's stream: packets of standard output, and of standard error, kept aside."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._raw = bytearray()
        self._out = bytearray()
        self._said: deque[int] = deque(maxlen=_SAID_BYTES)
        self._deadline = 0.0

    def begin(self, patience_s: float) -> None:
        """Let the next exchange take so long in all."""
        self._deadline = time.monotonic() + patience_s

    def sendall(self, body: bytes) -> None:
        """Send. Raises OSError."""
        self._limit()
        self._stream.sendall(body)

    def exactly(self, count: int) -> bytes:
        """Give so many bytes of standard output. Raises OSError and EOFError."""
        while len(self._out) < count:
            self._limit()
            chunk = self._stream.recv(_CHUNK)
            if not chunk:
                raise EOFError("the stream ended")
            self._raw += chunk
            self._unpack()
        taken = bytes(self._out[:count])
        del self._out[:count]
        return taken

    def said(self) -> str:
        """Give the last line of standard error."""
        lines = bytes(self._said).decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def ended(self) -> bool:
        """Say whether the other end is closed; nothing else comes between two exchanges."""
        try:
            self._stream.settimeout(0)
            self._stream.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        """Close the stream, at which the supervisor ends."""
        self._stream.close()

    def _limit(self) -> None:
        self._stream.settimeout(max(0.01, self._deadline - time.monotonic()))

    def _unpack(self) -> None:
        """Sort whole packets: a kind, three zeros, a length of four bytes, the body."""
        while len(self._raw) >= 8:
            end = 8 + int.from_bytes(self._raw[4:8], "big")
            if len(self._raw) < end:
                return
            body = self._raw[8:end]
            if self._raw[0] == 1:
                self._out += body
            else:
                self._said.extend(body)
            del self._raw[:end]
