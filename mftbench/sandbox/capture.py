"""Keep head and tail of an output stream of any length, in bounded memory.

Copied into containers: standard library only.
"""

from __future__ import annotations

from collections import deque

KEPT_BYTES = 4096


class Capture:
    """Head and tail of what was fed, and the count of all bytes."""

    def __init__(self, keep: int = KEPT_BYTES) -> None:
        self.total = 0
        self._keep = keep
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the stream."""
        self.total += len(chunk)
        room = self._keep - len(self._head)
        if room > 0:
            self._head += chunk[:room]
            chunk = chunk[room:]
        if not chunk:
            return
        self._tail.append(chunk[-self._keep :])
        self._tail_bytes += len(self._tail[-1])
        while self._tail_bytes - len(self._tail[0]) >= self._keep:
            self._tail_bytes -= len(self._tail.popleft())

    @property
    def dropped(self) -> int:
        """How many bytes are in neither head nor tail."""
        return self.total - len(self._head) - len(self._kept_tail())

    def text(self) -> str:
        """Join head and tail, decoded with replacement; dropped bytes are said in between."""
        gap = f"\n[{self.dropped} bytes dropped]\n".encode() if self.dropped else b""
        return (bytes(self._head) + gap + self._kept_tail()).decode("utf-8", "replace")

    def _kept_tail(self) -> bytes:
        return b"".join(self._tail)[-self._keep :]
