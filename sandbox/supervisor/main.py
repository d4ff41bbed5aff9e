"""Read steps from the host, carry each out, answer how it ended.

This process alone holds requests, nonces and reports; the one that programs are forked from never
sees any of them.
"""

import os
import platform
import select
import signal
import threading
from types import SimpleNamespace

from mftbench.sandbox.carry_out import carry_out
from mftbench.sandbox.frames import read_frame, write_frame
from mftbench.sandbox.order import Order, Role
from supervisor import memory
from supervisor.forge import Forge


def main():
    """Serve the host until it closes the stream."""
    forge = Forge.begin()
    threading.Thread(target=_end_with_host, daemon=True).start()
    _send(write_frame({"python": platform.python_version()}))
    while True:
        try:
            header, parts = read_frame(_exactly)
        except EOFError:
            return
        _send(_answer(forge, header, parts))


def _end_with_host():
    """End at once when the host goes, also in the middle of a step; the container ends with us."""
    poll = select.poll()
    poll.register(0, 0)  # a hang-up is always told
    poll.poll()
    os._exit(1)


def _answer(forge, header, parts):
    roles = [
        Role(runner, request) for runner, request in zip(header["runners"], parts, strict=True)
    ]
    limits = SimpleNamespace(**header["limits"])
    order = Order(header["language"], roles, limits, header["nonce"])
    killed_before = memory.kills()
    try:
        ended = carry_out(forge, order)
    except OSError as error:
        return write_frame({"error": f"{type(error).__name__}: {error}"})
    killed = any(end is not None and end.signal == signal.SIGKILL for end in ended.exits)
    ran_out = killed and ended.limit is None and memory.kills() > killed_before
    return write_frame(
        {
            "exits": [end and [end.code, end.signal] for end in ended.exits],
            "limit": "out_of_memory" if ran_out else ended.limit,
            "stdout": ended.stdout,
            "stderr": ended.stderr,
            "dropped_bytes": ended.dropped_bytes,
            "clean": forge.clean() and memory.kills() == killed_before,
        },
        [ended.report],
    )


def _exactly(count):
    chunks = []
    while count:
        chunk = os.read(0, min(count, 1 << 20))
        if not chunk:
            raise EOFError
        chunks.append(chunk)
        count -= len(chunk)
    return b"".join(chunks)


def _send(body):
    while body:
        body = body[os.write(1, body) :]
