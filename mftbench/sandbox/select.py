"""Choose a backend by name; ``auto`` takes the strongest that works and never an unconfined one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points

from mftbench.errors import UsageError, boundary, unknown
from mftbench.sandbox.backend import Sandbox
from mftbench.sandbox.bubblewrap import Bubblewrap
from mftbench.sandbox.containers.backend import Docker
from mftbench.sandbox.process import Process
from mftbench.sandbox.runners import execution_digest

__all__ = ["BACKENDS", "UnconfinedWarning", "execution_digest", "open_sandbox", "sandboxes"]

_AUTO: tuple[Callable[[], Sandbox], ...] = (Docker, Bubblewrap)
BACKENDS: Mapping[str, Callable[[], Sandbox]] = {
    "docker": Docker,
    "bubblewrap": Bubblewrap,
    "process": Process,
}
_warned = False


class UnconfinedWarning(UserWarning):
    """Programs run as this user, without isolation."""


def sandboxes() -> Mapping[str, Callable[[], Sandbox]]:
    """Map every backend's name to its factory: ours and those of the group mftbench.sandboxes."""
    found = dict(BACKENDS)
    for entry in entry_points(group="mftbench.sandboxes"):
        if entry.name in found:
            raise UsageError(f"sandbox {entry.name!r} is defined twice, also by {entry.value}")
        found[entry.name] = _factory(entry)
    return found


def open_sandbox(name: str = "auto") -> Sandbox:
    """Open a backend that works here; ``docker:runsc`` is docker with that runtime of the engine.

    Raises UsageError if none does, or for an unknown name.
    """
    if name == "auto":
        return _first_usable()
    sandbox = _named(name)
    probe = sandbox.probe()
    if not probe.usable:
        sandbox.close()
        raise UsageError(f"sandbox {name!r} cannot be used: {probe.reason}")
    if isinstance(sandbox, Process):
        _warn_once()
    return sandbox


def _named(name: str) -> Sandbox:
    kind, _, runtime = name.partition(":")
    known = sandboxes()
    if kind not in known:
        raise unknown("sandbox", kind, ["auto", *known])
    if not runtime:
        return known[kind]()
    if known[kind] is not Docker:
        raise UsageError(f"sandbox {kind!r} has no runtimes; name it without {runtime!r}")
    return Docker(runtime)


def _first_usable() -> Sandbox:
    reasons = []
    for factory in _AUTO:
        sandbox = factory()
        probe = sandbox.probe()
        if probe.usable:
            return sandbox
        sandbox.close()
        reasons.append(probe.reason)
    raise UsageError(
        f"no isolating sandbox works here: {'; '.join(reasons)}; "
        "name 'process' to run programs without isolation"
    )


def _factory(entry: EntryPoint) -> Callable[[], Sandbox]:
    def build() -> Sandbox:
        with boundary(f"sandbox {entry.name}", "factory"):
            sandbox: Sandbox = entry.load()()
            return sandbox

    return build


def _warn_once() -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            "sandbox 'process' contains accidents, not malice: programs run as this user, with its "
            "files and its network",
            UnconfinedWarning,
            stacklevel=3,
        )
