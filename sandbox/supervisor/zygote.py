"""The process that programs are forked from: warm, and without any knowledge worth stealing.

It is told which runner to start, for which user, with which descriptors, and never what flows
through them. All that a step's processes leave behind becomes its child and is reaped here.
"""

import ctypes
import errno
import gc
import json
import os
import select
import signal
import socket
import time

from mftbench.sandbox import watch
from supervisor.newborn import Warm, become, remove_files
from supervisor.wire import ENDED, FAILED, GONE, STARTED, write_notice

_MAX_DESCRIPTORS = 8
_GONE_S = 5.0
_PR_SET_CHILD_SUBREAPER = 36


class Zygote:
    """Serves orders one at a time, and sends a notice whenever a process that it started ends."""

    def __init__(self, orders, notices):
        self._orders = orders
        self._notices = notices
        self._started = set()
        self._warm = Warm()
        self._handlers = {"start": self._start, "kill": self._kill, "wipe": self._wipe}

    def serve(self):
        """Serve until the supervisor is gone; never returns."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1):  # the host's stream is the supervisor's alone
            os.dup2(nothing, standard)
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        wake, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(woken)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        gc.collect()
        gc.freeze()
        poll = select.poll()
        poll.register(self._orders, select.POLLIN)
        poll.register(wake, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == wake:
                    os.read(wake, 4096)
                    self._reap()
                elif not self._serve_one():
                    os._exit(0)

    def _serve_one(self):
        packet, descriptors, _, _ = socket.recv_fds(self._orders, 1 << 16, _MAX_DESCRIPTORS)
        if not packet:
            return False
        order = json.loads(packet)
        handler = next(self._handlers[name] for name in order if name in self._handlers)
        try:
            kind, number = handler(order, descriptors)
        except OSError as error:
            kind, number = FAILED, error.errno or errno.EIO
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self._orders.send(write_notice(kind, 0, number))
        return True

    def _start(self, order, descriptors):
        runner = self._warm.load(order)
        pid = os.fork()
        if pid == 0:
            become(runner, order, descriptors)
        self._started.add(pid)
        return STARTED, pid

    def _kill(self, order, descriptors):
        """End a user's processes: one that only this user's processes can be signalled by does it.

        Every living process of the container's programs descends from this one, so without
        children there is nothing to end.
        """
        user, killed = order["kill"], False
        deadline = time.monotonic() + _GONE_S
        while self._reap() and watch.owned_by(user, 1):
            if time.monotonic() > deadline:
                raise OSError(errno.EBUSY, "processes do not end")
            self._as_user(user, _kill_all)
            killed = True
            time.sleep(0.0002)
        return GONE, int(killed)

    def _wipe(self, order, descriptors):
        """Remove a user's files as that user, which alone may."""
        self._as_user(order["wipe"], remove_files)
        return GONE, 0

    def _as_user(self, user, act):
        pid = os.fork()
        if pid == 0:
            try:
                os.setgroups([])
                # Another real user, so that the user's own processes can't signal this one.
                os.setresuid(1, user, 1)
                act(user)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)

    def _reap(self):
        """Reap what has ended; say whether any child is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid in self._started:
                self._started.discard(pid)
                self._notices.send(write_notice(ENDED, pid, status))


def _kill_all(user):
    os.kill(-1, signal.SIGKILL)
