"""Watch one step and its peer until the step ends or a limit does it; keep what they printed.

Copied into containers: standard library only.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mftbench.sandbox import watch
from mftbench.sandbox.capture import Capture
from mftbench.sandbox.cell import Cell
from mftbench.sandbox.message import MAX_REPORT_BYTES
from mftbench.sandbox.order import Exit, Limit

if TYPE_CHECKING:
    from mftbench.contract import Limits

_FIRST_WATCH_S = 0.01
_WATCH_EVERY_S = 0.02
_PEER_END_S = 0.1
_OWN_TASKS = 2  # bubblewrap's own, or a shell's
_CHUNK = 1 << 16


@dataclass
class Stream:
    """One pipe that is read: where its bytes go. Non-blocking, closed at the end."""

    descriptor: int
    feed: Callable[[bytes], None]
    open: bool = True


@dataclass
class Group:
    """A step's processes: the step's own cell first, then its peer's; and what they said."""

    cells: list[Cell] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    captures: list[Capture] = field(default_factory=list)
    report: bytearray = field(default_factory=bytearray)

    def capture(self, descriptor: int) -> None:
        """Read a pipe into a new capture."""
        capture = Capture()
        self.captures.append(capture)
        self.streams.append(Stream(descriptor, capture.feed))

    def collect_report(self, descriptor: int) -> None:
        """Read the report pipe; what is beyond the bound is dropped, and so no report."""
        self.streams.append(Stream(descriptor, self._feed_report))

    def end(self) -> None:
        """Kill every process of the group."""
        for cell in self.cells:
            cell.end()

    def _feed_report(self, chunk: bytes) -> None:
        self.report += chunk[: MAX_REPORT_BYTES + 1 - len(self.report)]


@dataclass(frozen=True)
class End:
    """How a step ended: by itself (``exits``, one per cell, None if still alive) or by us."""

    exits: tuple[Exit | None, ...]
    limit: Limit | None


def supervise(group: Group, limits: Limits, deadline: float) -> End:
    """Read and watch until the step's own process ends or a limit is reached; then end all of it.

    The step's end is the verdict's moment: a process that outlives it and holds a pipe is ended,
    not waited for.
    """
    selector = selectors.DefaultSelector()
    try:
        for stream in group.streams:
            os.set_blocking(stream.descriptor, False)
            selector.register(stream.descriptor, selectors.EVENT_READ, stream)
        with _exit_events(selector, group.cells[0]):
            limit = _until_end(selector, group, limits, deadline)
        if limit is None:
            _await_peers(group.cells[1:])
        exits = tuple(cell.exit() for cell in group.cells)
        group.end()
        limit = limit or _drain(group, limits)
        return End(exits, limit)
    finally:
        group.end()
        selector.close()


@contextmanager
def _exit_events(selector: selectors.BaseSelector, cell: Cell) -> Iterator[None]:
    """Wake the selector when a cell's process ends, where the system can tell."""
    descriptor = cell.exit_event()
    if descriptor is None:
        yield
        return
    try:
        selector.register(descriptor, selectors.EVENT_READ, None)
        yield
        selector.unregister(descriptor)
    finally:
        os.close(descriptor)


def _until_end(
    selector: selectors.BaseSelector, group: Group, limits: Limits, deadline: float
) -> Limit | None:
    next_watch = time.monotonic() + _FIRST_WATCH_S
    while group.cells[0].exit() is None:
        now = time.monotonic()
        if now >= deadline:
            return "timeout"
        if now >= next_watch:
            reached = _watched_limit(group.cells, limits)
            if reached is not None:
                return reached
            next_watch = time.monotonic() + _WATCH_EVERY_S
        for key, _ in selector.select(max(0.0, min(deadline, next_watch) - now)):
            stream = key.data
            if stream is not None and not _read(stream):
                selector.unregister(stream.descriptor)
        if _printed_too_much(group, limits):
            return "output_limit"
    return None


def _await_peers(peers: Sequence[Cell]) -> None:
    """Give peers, whose pipes have just closed, a moment to end: how they do may explain it."""
    patience = time.monotonic() + _PEER_END_S
    while any(peer.exit() is None for peer in peers) and time.monotonic() < patience:
        time.sleep(0.001)


def _read(stream: Stream) -> bool:
    """Feed what is there; say whether there may be more."""
    try:
        chunk = os.read(stream.descriptor, _CHUNK)
    except BlockingIOError:
        return True
    except OSError:
        chunk = b""
    if chunk:
        stream.feed(chunk)
    stream.open = bool(chunk)
    return stream.open


def _drain(group: Group, limits: Limits) -> Limit | None:
    """Read what is left in the pipes: their writers are gone, so it is at most a pipe's size."""
    for stream in group.streams:
        budget = MAX_REPORT_BYTES
        while stream.open and budget > 0:
            try:
                chunk = os.read(stream.descriptor, _CHUNK)
            except OSError:
                break
            stream.feed(chunk)
            stream.open = bool(chunk)
            budget -= len(chunk)
    return "output_limit" if _printed_too_much(group, limits) else None


def _printed_too_much(group: Group, limits: Limits) -> bool:
    return sum(capture.total for capture in group.captures) > limits.output_bytes


def _watched_limit(cells: Sequence[Cell], limits: Limits) -> Limit | None:
    """End cells that hold too much memory or too many tasks.

    Too many tasks end the cell that holds them and nothing else: a judging step then sees its peer
    vanish, and says so.
    """
    for cell in cells:
        members = cell.members(limits.processes + _OWN_TASKS + 1)
        used = watch.usage(members)
        if used.tasks > limits.processes + _OWN_TASKS:
            cell.end()
            continue
        allowed = limits.memory_mb << 20
        # Resident memory counts shared pages once per process: look closer before ending anything.
        if used.rss_bytes > allowed and cell.memory_bytes(members) > allowed:
            return "out_of_memory"
    return None
