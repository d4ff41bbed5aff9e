"""The supervisor's side of the forge: start, watch and end processes of users of their own."""

import json
import os
import secrets
import socket
import time
from contextlib import suppress

from mftbench.sandbox import watch
from mftbench.sandbox.order import Exit
from supervisor import memory
from supervisor.wire import ENDED, GONE, STARTED, read_notice
from supervisor.zygote import Zygote

WRITABLE = ("/tmp", "/dev/shm")
_FIRST_USER = 10_000
_USERS = 20_000  # more than one container ever needs
_PATIENCE_S = 10.0


class Forge:
    """A jail in the sense of ``carry_out``: every process gets a user that nobody had before."""

    counts_processes = True

    def __init__(self, orders, notices):
        self._orders = orders
        self._notices = notices
        self._exits = {}
        self._user = _FIRST_USER + secrets.randbelow(_users() - _FIRST_USER - _USERS)
        self._cells = []
        self._idle_bytes = memory.held_bytes() or 0

    @classmethod
    def begin(cls):
        """Fork the zygote. Called first: what it has seen, every program can find in its memory."""
        orders, orders_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        notices, notices_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            orders.close()
            notices.close()
            Zygote(orders_end, notices_end).serve()
        orders_end.close()
        notices_end.close()
        return cls(orders, notices)

    def start(self, launch):
        """Start a runner under the next user."""
        self._user += 1
        order = {"start": launch.runner, "user": self._user, "inherit": launch.inherit}
        order["memory_mb"] = launch.limits.memory_mb
        descriptors = [launch.stdin, launch.stdout, launch.stderr, *launch.inherit]
        pid = self._ask(order, STARTED, descriptors)
        cell = UserCell(self, pid, self._user)
        self._cells.append(cell)
        return cell

    def clean(self):
        """Remove what the last step left; say whether that step was ended by nobody but itself."""
        cells, self._cells = self._cells, []
        self._exits.clear()
        if _remove_leftovers():
            for cell in cells:
                self._ask({"wipe": cell.user}, GONE)
        return not _remove_leftovers() and not any(cell.was_killed for cell in cells)

    def kill(self, user):
        """End every process of a user; say whether there was any."""
        return bool(self._ask({"kill": user}, GONE))

    def exit_of(self, pid):
        """Say how a process ended, or None."""
        with suppress(BlockingIOError):
            while pid not in self._exits:
                kind, ended, status = read_notice(self._notices.recv(64, socket.MSG_DONTWAIT))
                if kind == ENDED:
                    self._exits[ended] = status
        return self._exits.get(pid)

    def event(self):
        """Open a descriptor that is readable when something has ended."""
        return os.dup(self._notices.fileno())

    def held_bytes(self):
        """Say what programs hold in memory, or None if only their own numbers are known."""
        held = memory.held_bytes()
        return None if held is None else held - self._idle_bytes

    def _ask(self, order, kind, descriptors=()):
        socket.send_fds(self._orders, [json.dumps(order).encode("ascii")], descriptors)
        answer, _, number = read_notice(self._orders.recv(64))
        if answer != kind:
            raise OSError(number, os.strerror(number))
        return number


class UserCell:
    """One process and whatever else runs as its user."""

    def __init__(self, forge, pid, user):
        self._forge = forge
        self._ended = False
        self.pid = pid
        self.user = user
        self.was_killed = False

    def exit(self):
        """Say how the process ended, or None while it runs."""
        status = self._forge.exit_of(self.pid)
        if status is None:
            return None
        code = os.waitstatus_to_exitcode(status)
        return Exit(code, None) if code >= 0 else Exit(None, -code)

    def exit_event(self):
        """Open a descriptor that becomes readable when the process has ended."""
        return self._forge.event()

    def members(self, at_most):
        """List the user's processes, or that many of them."""
        return watch.owned_by(self.user, at_most)

    def memory_bytes(self, members):
        """Say what programs hold: nobody else runs in this container."""
        held = self._forge.held_bytes()
        return watch.usage(members).rss_bytes if held is None else held

    def end(self):
        """Kill the user's processes and wait until none is left."""
        if self._ended:
            return
        self._ended = True
        self.was_killed = self._forge.kill(self.user)
        deadline = time.monotonic() + _PATIENCE_S
        while self.exit() is None:
            if time.monotonic() > deadline:
                raise OSError(f"process {self.pid} does not end")
            time.sleep(0.0005)


def _users():
    """Count the users of this container's name space."""
    with open("/proc/self/uid_map") as file:
        return max(int(line.split()[0]) + int(line.split()[2]) for line in file)


def _remove_leftovers():
    """Remove files and empty folders; say what is left, which only its owner can remove."""
    left = []
    for folder in WRITABLE:
        for entry in os.scandir(folder):
            try:
                if entry.is_dir(follow_symlinks=False):
                    os.rmdir(entry.path)
                else:
                    os.unlink(entry.path)
            except OSError:
                left.append(entry.path)
    return left
