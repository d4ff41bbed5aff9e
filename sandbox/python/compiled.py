"""Compile a program and run it to its proved end: what the runners of compiled languages share.

The runner keeps the nonce. The program proves its end to the runner by a token of its own, which it
reads from a pipe and writes to another only after the suite has returned. Covered: leaving early,
printing a marker, a suite that executes nothing. Not covered: a program that takes the token,
because suite and candidate share one process. That is why scores from here are labelled.
"""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time

from session import begin

# Where the end of a program finds its token; end.c, end.go and Launcher.java say the same.
TOKEN_INBOX, TOKEN_OUTBOX = 100, 101
TOKEN_BYTES = 32
END_OBJECT = "end.o"
_COMPILE_SHARE = 0.7  # of the wall time; the rest is the program's
_SHOWN_BYTES = 900
_PR_SET_DUMPABLE = 4


class CompileError(Exception):
    """The program does not compile; the message is the compiler's."""


class CompileTimeoutError(Exception):
    """The program was not compiled in its share of the time."""


class FaultError(Exception):
    """The toolchain could not be started: no verdict on the program."""


class NoTestsError(Exception):
    """The program compiled, but the suite's tests are not in it."""


class End:
    """How a program ended: status or signal, and whether it proved that the suite returned."""

    __slots__ = ("cpu_s", "proved", "signal", "status")

    def __init__(self, code, proved, cpu_s):
        self.status = code if code >= 0 else None
        self.signal = -code if code < 0 else None
        self.proved = proved
        self.cpu_s = cpu_s


class Job:
    """One program to build and run: its texts, its limits and the time left for compiling."""

    __slots__ = ("_deadline", "limits", "source", "suite")

    def __init__(self, request, limits):
        self.source = request["source"]
        self.suite = request["suite"]
        self.limits = limits
        self._deadline = time.monotonic() + _COMPILE_SHARE * limits["wall_s"]

    def compile(self, command, memory_bytes=None):
        """Run one command of the toolchain. Raises what run_runner reports."""
        with open("compiler-output", "w+b") as said:
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    preexec_fn=lambda: _limit_memory(memory_bytes),
                )
            except OSError as error:
                raise FaultError(str(error)) from None
            try:
                status = process.wait(max(0.1, self._deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                raise CompileTimeoutError("the compiler took too long") from None
            said.seek(0)
            text = said.read(_SHOWN_BYTES).decode("utf-8", "replace")
        if status:
            raise CompileError(text.strip() or f"the compiler ended with status {status}")


def run_runner(build, outcomes):
    """Confine, build, run, judge, report: the whole of a runner.

    ``build`` takes a Job and returns the command that runs it. ``outcomes`` maps exit statuses and
    negative signal numbers to outcomes; any other failure is "failed" by status, "error" by signal.
    """
    session = begin(limit_memory=False)
    _hide_memory()
    job = Job(session.request, session.limits)
    try:
        command = build(job)
    except CompileError as error:
        session.report("compile_error", str(error))
    except CompileTimeoutError as error:
        session.report("timeout", str(error))
    except NoTestsError as error:
        session.report("no_tests", str(error))
    except FaultError as error:
        session.fault(str(error))
    outcome, message = _judge(run_to_end(command), outcomes, session.limits["cpu_s"])
    session.report(outcome, message, checks=int(outcome == "passed"))


def run_to_end(command):
    """Run the program; return how it ended. Children that outlive it are the sandbox's to end."""
    token = os.urandom(TOKEN_BYTES // 2).hex().encode("ascii")
    given, giver = os.pipe()
    taker, taken = os.pipe()
    os.write(giver, token)
    os.close(giver)
    os.dup2(given, TOKEN_INBOX, inheritable=True)
    os.dup2(taken, TOKEN_OUTBOX, inheritable=True)
    before = _children_cpu_s()
    try:
        ends = (TOKEN_INBOX, TOKEN_OUTBOX)
        code = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=ends).wait()
    except OSError as error:
        raise SystemExit(f"{command[0]}: {error}") from None
    os.set_blocking(taker, False)
    try:
        said = os.read(taker, TOKEN_BYTES + 1)
    except BlockingIOError:
        said = b""
    return End(code, said == token, _children_cpu_s() - before)


def end_object(folder):
    """Give the compiled proof of the end and the commands that are still to make it."""
    if folder is not None:
        return os.path.join(folder, END_OBJECT), []
    return END_OBJECT, [compile_end(END_OBJECT)]


def compile_end(target):
    """Give the command that compiles the proof of the end."""
    return ["/usr/bin/gcc", "-O1", "-c", beside(__file__, "end.c"), "-o", target]


def prepared(folder):
    """Find what was prepared for a language, or None: see the README of sandbox/."""
    root = os.path.realpath(os.environ.get("MFTBENCH_PREPARED", "/prepared"))
    path = os.path.join(root, folder)
    return path if os.path.isdir(path) else None


def write_file(name, text):
    """Write a program's text as it is; what is no Unicode is the compiler's to refuse."""
    with open(name, "wb") as file:
        file.write(text.encode("utf-8", "surrogatepass"))


def beside(runner, name):
    """Name a file that lies beside a runner."""
    return os.path.join(os.path.dirname(os.path.abspath(runner)), name)


def _judge(end, outcomes, cpu_s):
    # A program may ignore SIGXCPU, as those in Go do; then SIGKILL follows.
    if end.signal == signal.SIGXCPU or (end.signal == signal.SIGKILL and end.cpu_s >= cpu_s):
        return "timeout", "processor time"
    if end.signal is not None:
        name = signal.Signals(end.signal).name if end.signal < 32 else str(end.signal)
        return outcomes.get(-end.signal, "error"), f"ended by {name}"
    if end.status:
        return outcomes.get(end.status, "failed"), f"exit status {end.status}"
    if not end.proved:
        return "early_exit", "exit status 0 before the suite's end"
    return "passed", ""


def _children_cpu_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _limit_memory(memory_bytes):
    if memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _hide_memory():
    """Keep this process's memory, where the nonce is, from the program, which has the same user."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
