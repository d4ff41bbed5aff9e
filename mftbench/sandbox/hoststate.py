"""What of this machine must be the same after hostile programs as before, and bait for them."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path

from mftbench.errors import SandboxError
from mftbench.sandbox import watch
from mftbench.sandbox.attacks.isolation import CANARY
from mftbench.sandbox.folders import folder_prefix, left_over_folders

_SETTLE_S = 10.0
_CONTAINERS_KINDS = {"overlay", "nsfs"}  # what an engine mounts for every container, ours or not


@dataclass(frozen=True)
class HostState:
    """One look at the machine. Sets of texts, so that what is new can be named."""

    processes: frozenset[str]
    files: frozenset[str]
    network: frozenset[str]
    mounts: frozenset[str]
    containers: frozenset[str]

    def changes_to(self, after: HostState) -> dict[str, list[str]]:
        """Name, per field, what came or went."""
        return {
            field.name: sorted(getattr(self, field.name) ^ getattr(after, field.name))
            for field in fields(self)
        }


def look() -> HostState:
    """Look at our descendants, planted and temporary files, the network, mounts, our containers."""
    return HostState(
        processes=frozenset(_processes()),
        files=frozenset(_files()),
        network=frozenset(_interfaces()),
        mounts=frozenset(_mounts()),
        containers=frozenset(_containers()),
    )


def settled(before: HostState) -> dict[str, list[str]]:
    """Compare with now; what is on its way out has some seconds to go."""
    patience = time.monotonic() + _SETTLE_S
    changes = before.changes_to(look())
    while any(changes.values()) and time.monotonic() < patience:
        time.sleep(0.1)
        changes = before.changes_to(look())
    return changes


@contextmanager
def bait() -> Iterator[None]:
    """Plant files, a variable and a socket that the attacks look for, and remove them."""
    planted = _bait_files()
    for file in planted:
        file.write_text(secrets.token_hex())
    os.environ[CANARY] = secrets.token_hex()
    with socket.socket(socket.AF_UNIX) as listener:
        with suppress(OSError):  # another self-test runs, or there are no abstract sockets
            listener.bind(f"\0{CANARY}")
            listener.listen()
        try:
            yield
        finally:
            del os.environ[CANARY]
            for file in planted:
                file.unlink(missing_ok=True)


def _bait_files() -> list[Path]:
    """Name the files, apart from those of other self-tests."""
    return [folder / f"{CANARY}-{os.getpid()}" for folder in _bait_folders()]


def _bait_folders() -> list[Path]:
    folders = {Path(tempfile.gettempdir()), Path("/var/tmp"), Path.home()}
    return [folder for folder in folders if os.access(folder, os.W_OK)]


def _files() -> Iterator[str]:
    """Name temporary files of ours, and planted ones with their content."""
    for file in _bait_files():
        with suppress(OSError):
            yield f"{file} {_digest(file)}"
    own = Path(tempfile.gettempdir()).glob(f"{folder_prefix(os.getpid())}*")
    yield from map(str, (*own, *left_over_folders()))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _containers() -> Iterator[str]:
    """Name the containers of this process, if an engine answers."""
    from mftbench.sandbox.containers.engine import DockerEngine
    from mftbench.sandbox.containers.owner import LABEL, own_labels

    try:
        engine = DockerEngine()
        mine = own_labels()
        try:
            for container in engine.containers(LABEL):
                if mine.items() <= dict(container.labels).items():
                    yield container.id
        finally:
            engine.close()
    except SandboxError:
        return


def _processes() -> Iterator[str]:
    """Number what descends from this process and lives; the dead have only to be fetched."""
    for pid in watch.descendants(os.getpid())[1:]:
        if watch.usage([pid]).tasks:
            yield str(pid)


def _interfaces() -> list[str]:
    with suppress(OSError):
        lines = Path("/proc/net/dev").read_text().splitlines()[2:]
        return [line.split(":")[0].strip() for line in lines]
    return []


def _mounts() -> Iterator[str]:
    """Name mount points but those of containers, which are compared by themselves."""
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            point, kind = line.split()[4], line.partition(" - ")[2].split()[0]
            if kind not in _CONTAINERS_KINDS:
                yield point
