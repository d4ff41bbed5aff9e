"""How every Python runner starts: read the request, take the limits, keep its pipes to itself."""

import json
import os
import resource
import sys

_LIMITS = {
    "cpu_s": resource.RLIMIT_CPU,
    "memory_bytes": resource.RLIMIT_AS,
    "file_bytes": resource.RLIMIT_FSIZE,
    "open_files": resource.RLIMIT_NOFILE,
    "processes": getattr(resource, "RLIMIT_NPROC", None),
}


class Session:
    """One runner's request, limits and ways to end, and its pipe ends to the other process."""

    __slots__ = ("fault", "inbox", "limits", "outbox", "report", "request")

    def __init__(self, request, limits, ends, inbox, outbox):
        self.request = request
        self.limits = limits
        self.report, self.fault = ends
        self.inbox = inbox
        self.outbox = outbox

    def prepare(self, action, *arguments):
        """Do what no program has a say in yet: if it fails, that is our fault and no verdict."""
        try:
            return action(*arguments)
        except Exception as error:
            return self.fault(f"{type(error).__name__}: {error}")


def begin(limit_memory=True):
    """Read the message on standard input and confine this process; called once, first of all.

    ``limit_memory``: false for runners whose children reserve far more address space than they use;
    the memory in use is watched from outside all the same.
    Standard input is empty afterwards. The protocol's descriptors are closed in every child, so
    that a forked child can neither answer nor hold a pipe open.
    """
    text = _read_message()
    message = json.loads(text)
    limits = message["limits"]
    confine(limits if limit_memory else {**limits, "memory_bytes": None})
    descriptors = [message[name] for name in ("report", "inbox", "outbox") if message[name]]
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    os.register_at_fork(after_in_child=lambda: _close(descriptors))
    if b"random" in text:  # importing it costs 10 ms, and most programs never draw
        _seed_random()
    ends = _ends(message["report"], message.pop("nonce"))
    return Session(message["request"], limits, ends, message["inbox"], message["outbox"])


def confine(limits):
    """Set this process's resource limits; a missing or null limit is left as it is."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name, number in _LIMITS.items():
        wanted = limits.get(name)
        if wanted is None or number is None:
            continue
        # One second between the soft and the hard limit lets SIGXCPU say why the process ended.
        hard = wanted + 1 if name == "cpu_s" else wanted
        _, ceiling = resource.getrlimit(number)
        if ceiling != resource.RLIM_INFINITY:
            hard = min(hard, ceiling)
        try:
            resource.setrlimit(number, (min(wanted, hard), hard))
        except (OSError, ValueError):  # an operating system without this limit (macOS: RLIMIT_AS)
            continue


def _read_message():
    chunks = []
    while chunk := os.read(0, 1 << 20):
        chunks.append(chunk)
    _erase(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return b"".join(chunks)


def _erase(descriptor):
    """Empty the message's file: bubblewrap's first process holds it open as well."""
    try:
        os.ftruncate(descriptor, 0)
    except OSError:  # a pipe, or a file that can only be read
        return


def _ends(descriptor, nonce):
    """Make what proves an outcome, or our fault, and ends the process, despite later patches."""
    write, leave, dumps, flush = os.write, os._exit, json.dumps, _flush

    def send(said):
        flush()
        if descriptor is not None:
            body = dumps({"nonce": nonce, **said}).encode("ascii")
            while body:
                body = body[write(descriptor, body) :]
        leave(0)

    def report(outcome, message="", checks=0, expected_checks=0, detail=None):
        said = {
            "outcome": outcome,
            "checks": checks,
            "expected_checks": expected_checks,
            "message": message[:1000],
            "detail": detail or {},
        }
        send({"report": said})

    def fault(message):
        send({"fault": message[:1000]})

    return report, fault


def _flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:  # closed, replaced or hostile: what was printed is not evidence
            continue


def _seed_random():
    import random

    random.seed(0)


def _close(descriptors):
    for descriptor in descriptors:
        try:
            os.close(descriptor)
        except OSError:
            continue
