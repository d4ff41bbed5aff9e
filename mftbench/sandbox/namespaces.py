"""What a bubblewrapped process sees, and how its end is known and enforced."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path, PurePosixPath

from mftbench.contract import Limits
from mftbench.errors import SandboxError
from mftbench.sandbox import watch
from mftbench.sandbox.cell import Cell
from mftbench.sandbox.order import Exit
from mftbench.sandbox.pids_group import PidsGroup
from mftbench.sandbox.runtimes import numpy_folders, runtimes
from mftbench.sandbox.toolchains import prepared_folder

INSIDE = PurePosixPath("/runner")
WORK = "/work"
PACKAGES = "/packages"
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/alternatives")
_KEY_LISTS = ("/proc/keys", "/proc/key-users")  # of whoever started this, in every namespace
_INSTALLED = ("site-packages", "dist-packages")
_JAVA_SETTINGS = "java-*-openjdk"  # Debian keeps files of the virtual machine below /etc
_END_MS = 20_000  # a fork bomb on a busy machine takes its time to die
_SIGNALLED = 128  # bubblewrap says the end by a signal as a shell does
_PR_SET_CHILD_SUBREAPER = 36

ENVIRONMENT: Mapping[str, str] = {
    "HOME": WORK,
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONPATH": PACKAGES,
    "PYTHONUTF8": "1",
    "TMPDIR": WORK,
    "TZ": "UTC",
}
"""The whole environment; fixed hashes, encoding and zone, so that no verdict depends on them."""


def namespaces() -> list[str]:
    """List the options that separate a process from the machine."""
    return [
        *(
            "--unshare-all",
            "--unshare-user",
            "--disable-userns",
            "--die-with-parent",
            "--new-session",
        ),
        *("--uid", "65534", "--gid", "65534", "--hostname", "sandbox", "--cap-drop", "ALL"),
    ]


def mounts(runners: Path, limits: Limits) -> list[str]:
    """List the options that make the file system: system, interpreters, runners, work folder.

    Whatever can be written is in memory and bounded; the rest is read-only.
    """
    # Where root starts this, the files of /proc/sys would be the program's own to write.
    options = ["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"]
    for file in _KEY_LISTS:
        if Path(file).exists():  # not on a kernel without keyrings
            options += ["--ro-bind", "/dev/null", file]
    for folder in _SYSTEM:
        options += _system_folder(Path(folder))
    for file in _SYSTEM_FILES:
        options += ["--ro-bind-try", file, file]
    programs = [path for runtime in runtimes().values() for path in runtime.paths]
    hidden = package_folders()
    for path in programs:
        if path.is_dir() and not path.is_relative_to("/usr"):
            options += ["--ro-bind", str(path), str(path)]
    for path in hidden:
        options += ["--tmpfs", str(path)]
    for path in programs:
        seen = path.is_relative_to("/usr") and not any(map(path.is_relative_to, hidden))
        if path.is_file() and not seen:
            options += ["--ro-bind", str(path), str(path)]  # Node.js may be a package itself
    for path in hidden:
        options += ["--remount-ro", str(path)]
    for path in (*Path("/etc").glob(_JAVA_SETTINGS), prepared_folder()):
        options += ["--ro-bind-try", str(path), str(path)]
    options += ["--symlink", str(prepared_folder()), "/prepared"]
    for path in numpy_folders():
        options += ["--ro-bind", str(path), f"{PACKAGES}/{path.name}"]
    size = str(limits.files_mb << 20)
    return [
        *options,
        *("--ro-bind", str(runners), str(INSIDE)),
        *("--size", size, "--tmpfs", WORK, "--symlink", WORK, "/tmp", "--size", size),
        *("--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORK),
    ]


@cache
def package_folders() -> tuple[Path, ...]:
    """List where packages are installed below what programs see: they would see those as well.

    There are data sets with their solutions among them, and what is there differs by machine.
    """
    roots = {Path(folder).resolve() for folder in _SYSTEM}
    roots.update(path for runtime in runtimes().values() for path in runtime.paths)
    found: set[Path] = set()
    for root in roots:
        for folder, names, _ in os.walk(root):
            # Conda keeps hundreds of them in two folders of its own.
            conda = ("pkgs", "envs") if "conda-meta" in names else ()
            inside = [name for name in names if name in (*_INSTALLED, *conda)]
            found.update(Path(folder, name).resolve() for name in inside)
            names[:] = [name for name in names if name not in inside]
    return tuple(sorted(path for path in found if any(map(path.is_relative_to, roots))))


def _system_folder(path: Path) -> list[str]:
    """Show a system folder as it is: many systems have /lib as a link into /usr."""
    if path.is_symlink():
        return ["--symlink", os.readlink(path), str(path)]  # noqa: PTH115 (the text, not its target)
    return ["--ro-bind", str(path), str(path)] if path.is_dir() else []


class NamespaceCell:
    """One bubblewrap process, its first process inside, and all that descend from it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        status: int,
        group: PidsGroup | None,
        forget: Callable[[Cell], None],
    ) -> None:
        self._process = process
        self._status = status
        self._said = b""
        self._group = group
        self._forget = forget
        self._lock = threading.RLock()
        self._ended = False
        os.set_blocking(status, False)

    @property
    def pid(self) -> int:
        """The outer bubblewrap process: it ends when the runner does, whatever the runner left."""
        return self._process.pid

    def exit(self) -> Exit | None:
        """Say how the runner ended. Raises SandboxError if bubblewrap failed before it began."""
        with self._lock:  # another thread may close the backend meanwhile
            if self._process.poll() is None:
                return None
            code, ended = self._value("exit-code"), self._ended
        if code is None:
            if ended:
                return Exit(None, signal.SIGKILL)
            raise SandboxError(
                f"bubblewrap ended with status {self._process.returncode} before the program began"
            )
        by_signal = _SIGNALLED < code <= _SIGNALLED + signal.SIGRTMAX
        return Exit(None, code - _SIGNALLED) if by_signal else Exit(code, None)

    def exit_event(self) -> int | None:
        """Open a descriptor that becomes readable at its end, where the system can."""
        return watch.exit_event(self.pid)

    def members(self, at_most: int) -> Sequence[int]:
        """List the processes inside: all descend from the namespace's first."""
        with self._lock:
            first = None if self._ended else self._value("child-pid")
        return [] if first is None else watch.descendants(first, at_most)

    def memory_bytes(self, members: Sequence[int]) -> int:
        """Add up their memory, shared pages divided among those that share them."""
        return watch.proportional_bytes(members)

    def end(self) -> None:
        """Kill bubblewrap, and with it the namespace's first process and so the namespace."""
        with self._lock:
            if self._ended:
                return
            first = self._value("child-pid")
            self._process.kill()
            self._process.wait()
            first = first or self._value("child-pid")
            if first is not None:
                _await_gone(first)
            self._value("exit-code")
            if self._group is not None:
                self._group.remove()
            self._ended = True
            os.close(self._status)
        self._forget(self)

    def _value(self, name: str) -> int | None:
        """Read bubblewrap's status: documents of one line each."""
        if not self._ended:
            with suppress(BlockingIOError, OSError):
                while chunk := os.read(self._status, 4096):
                    self._said += chunk
        for line in self._said.splitlines():
            with suppress(ValueError):
                document = json.loads(line)
                if name in document:
                    return int(document[name])
        return None


def adopt_orphans() -> None:
    """Become the parent of processes whose parent ends first, where the system can (Linux).

    Bubblewrap ends before the namespace's first process, which would be left to the machine's own
    first process; in a container that one often reaps nothing, and zombies would pile up.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _await_gone(pid: int) -> None:
    """Wait until a process that has been sentenced is gone. Raises SandboxError if it stays."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return
    try:
        # poll, because select takes no descriptor above 1023, and a run may hold many pipes
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(_END_MS):
            raise SandboxError(f"process {pid} of a sandbox could not be ended")
        with suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, descriptor, os.WEXITED)
    finally:
        os.close(descriptor)
