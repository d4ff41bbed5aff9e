"""Send and receive messages over a pair of pipes: a length of eight bytes, then JSON."""

import os

from wire import MAX_BYTES, Malformed, Uncarriable, parse, write


class Vanished(BaseException):
    """The other process is gone. Not an Exception: a suite's own handlers must not swallow it."""


class Channel:
    """One process's end of the pair."""

    __slots__ = ("_inbox", "_outbox", "_read", "_write")

    def __init__(self, inbox, outbox):
        self._inbox = inbox
        self._outbox = outbox
        self._read = os.read
        self._write = os.write

    def send(self, message):
        """Write one message. Raises Vanished, or Uncarriable if it is too long."""
        body = write(message).encode("ascii")
        if len(body) > MAX_BYTES:
            raise Uncarriable(f"a message of {len(body)} bytes cannot be carried")
        body = len(body).to_bytes(8, "big") + body
        try:
            while body:
                body = body[self._write(self._outbox, body) :]
        except OSError:
            raise Vanished("the other process closed its pipe") from None

    def receive(self):
        """Read one message, a JSON object of any content. Raises Vanished and Malformed."""
        length = int.from_bytes(self._exactly(8), "big")
        if length > MAX_BYTES:
            raise Malformed(f"a message is longer than {MAX_BYTES} bytes")
        message = parse(self._exactly(length))
        if type(message) is not dict:
            raise Malformed("a message is not an object")
        return message

    def _exactly(self, count):
        chunks = []
        while count:
            try:
                chunk = self._read(self._inbox, min(count, 1 << 20))
            except OSError:
                chunk = b""
            if not chunk:
                raise Vanished("the other process ended without an answer")
            chunks.append(chunk)
            count -= len(chunk)
        return b"".join(chunks)
