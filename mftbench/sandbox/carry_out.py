"""Carry out one step: pipes, messages, processes, supervision. What it proved is for others to say.

Copied into containers: standard library only.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass

from mftbench.sandbox.cell import Jail, Launch
from mftbench.sandbox.message import Ends, message_file
from mftbench.sandbox.order import Ended, Order, Role
from mftbench.sandbox.supervise import End, Group, supervise


def carry_out(jail: Jail, order: Order) -> Ended:
    """Run one step and its peer to the end. Raises SandboxError or OSError if they didn't start."""
    group = Group()
    with ExitStack() as kept:
        kept.callback(group.end)
        with ExitStack() as handed:
            _Start(jail, order, group, kept, handed).all()
        end = supervise(group, order.limits, time.monotonic() + order.limits.wall_s)
    return _ended(group, end)


@dataclass(frozen=True)
class _Start:
    """Starting the processes of one step: ``handed`` closes here what only they shall hold."""

    jail: Jail
    order: Order
    group: Group
    kept: ExitStack
    handed: ExitStack

    def all(self) -> None:
        """Start the step and its peer. Only the step gets the nonce and the report pipe."""
        report_end, report = self._pipe(self.kept)
        self.group.collect_report(report_end)
        step, *peers = self.order.roles
        if not peers:
            self._one(step, Ends(report=report), self.order.nonce)
            return
        peer_inbox, to_peer = self._pipe(self.handed)
        inbox, from_peer = self._pipe(self.handed)
        self._one(step, Ends(report=report, inbox=inbox, outbox=to_peer), self.order.nonce)
        self._one(peers[0], Ends(inbox=peer_inbox, outbox=from_peer), None)

    def _one(self, role: Role, ends: Ends, nonce: str | None) -> None:
        limits = self.order.limits
        stdin = message_file(role.request, limits, ends, nonce, self.jail.counts_processes)
        self.handed.callback(os.close, stdin)
        stdout_end, stdout = self._pipe(self.kept)
        stderr_end, stderr = self._pipe(self.kept)
        launch = Launch(role.runner, stdin, stdout, stderr, ends.numbers(), limits)
        self.group.cells.append(self.jail.start(launch))
        self.group.capture(stdout_end)
        self.group.capture(stderr_end)

    def _pipe(self, readers: ExitStack) -> tuple[int, int]:
        reader, writer = os.pipe()
        readers.callback(os.close, reader)
        self.handed.callback(os.close, writer)
        return reader, writer


def _ended(group: Group, end: End) -> Ended:
    texts = [capture.text() for capture in group.captures]
    return Ended(
        exits=end.exits,
        limit=end.limit,
        stdout="".join(texts[0::2]),
        stderr="".join(texts[1::2]),
        dropped_bytes=sum(capture.dropped for capture in group.captures),
        report=bytes(group.report),
    )
