"""Compiled languages on this machine: which are there, and what their programs share, made once.

What is shared (precompiled headers, a class archive, compiled packages) comes from trusted input
only, lies in the user's cache folder, is shown to programs read-only, and may be deleted any time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from filelock import FileLock

from mftbench.sandbox.backend import UnusableError
from mftbench.sandbox.runners import runner_files, runners_folder

_PATH = "/usr/bin:/bin"  # what programs in a sandbox see
_PREPARE_S = 600
_DONE = "done"


class MissingLanguageError(UnusableError):
    """The sandbox works, but this language is not installed."""


@dataclass(frozen=True)
class Toolchain:
    """The programs that a compiled language needs, the first of which says its version."""

    programs: tuple[str, ...]
    say_version: str = "--version"

    @property
    def present(self) -> bool:
        """Say whether all of it is installed where a sandbox sees it."""
        return all(shutil.which(program, path=_PATH) for program in self.programs)


TOOLCHAINS: Mapping[str, Toolchain] = {
    "cpp": Toolchain(("g++", "gcc"), "-dumpfullversion"),
    "java": Toolchain(("java", "javac", "jar")),
    "go": Toolchain(("go",), "version"),
    "rust": Toolchain(("rustc", "cargo", "gcc")),
}


@cache
def toolchain_versions() -> Mapping[str, str]:
    """Map each compiled language that is installed to its version."""
    return {name: _version(tool) for name, tool in TOOLCHAINS.items() if tool.present}


@cache
def prepared_folder() -> Path:
    """Name the folder of all languages' shared files: one for these runners and these versions."""
    # Sandboxes show the folder under its own path, which shall say nothing about the user's home
    # where that can be helped.
    user_cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache_home = "/var/cache" if os.geteuid() == 0 else user_cache
    digest = hashlib.sha256(repr(sorted(toolchain_versions().items())).encode())
    for file in _preparing_files():  # what its content depends on
        digest.update(f"{file}\0".encode() + (runners_folder() / file).read_bytes())
    return Path(cache_home).resolve() / "mftbench" / "prepared" / digest.hexdigest()[:16]


@cache
def prepare(language: str) -> None:
    """Make what a language's programs share, if it is not there.

    Raises MissingLanguageError if the language, or a library of it, is not installed.
    """
    if language not in toolchain_versions():
        wanted = " ".join(TOOLCHAINS[language].programs)
        raise MissingLanguageError(f"no {language} in this sandbox: install {wanted}")
    target = prepared_folder() / language
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if not (target / _DONE).exists():
            shutil.rmtree(target, ignore_errors=True)  # a killed attempt
            _make(language, target)
            (target / _DONE).touch()


def _make(language: str, target: Path) -> None:
    script = runners_folder() / language / "prepare.py"
    done = subprocess.run(
        [sys.executable, "-B", str(script), str(target)],
        env={"PATH": _PATH, "HOME": "/nonexistent", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=_PREPARE_S,
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[-300:]
        raise MissingLanguageError(
            f"no {language} in this sandbox: its libraries could not be prepared ({said}); "
            "sandbox/README.md lists the packages"
        )


def _preparing_files() -> list[Path]:
    folders = [file for file in runner_files() if file.parts[0] in TOOLCHAINS]
    return [*(file for file in folders if file.name != "check.py"), Path("python/end.c")]


def _version(toolchain: Toolchain) -> str:
    command = [toolchain.programs[0], toolchain.say_version]
    done = subprocess.run(command, env={"PATH": _PATH}, capture_output=True, text=True, check=False)
    words = done.stdout.split("\n", 1)[0].split()
    return next((word.removeprefix("go") for word in words if any(map(str.isdigit, word))), "?")
