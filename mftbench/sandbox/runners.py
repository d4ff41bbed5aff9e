"""The runners of ``sandbox/``: where they are, what they are, and a compiled copy to mount."""

from __future__ import annotations

import compileall
import hashlib
import py_compile
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath

import mftbench
from mftbench.errors import SandboxError

_SUFFIXES = (".py", ".js", ".c", ".h", ".java", ".toml")


@cache
def runners_folder() -> Path:
    """Find the folder of runners: beside the package in a checkout, inside it in a wheel.

    Raises SandboxError if neither is there.
    """
    package = Path(mftbench.__file__).resolve().parent
    for folder in (package / "sandbox" / "images", package.parent / "sandbox"):
        if (folder / "python" / "check.py").is_file():
            return folder
    raise SandboxError(f"no runners in {package} or beside it; install mftbench again")


def runner_files() -> list[Path]:
    """List the runner files, as paths relative to the folder, sorted."""
    folder = runners_folder()
    return sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.suffix in _SUFFIXES and path.is_file()
    )


def require_runner(runner: str) -> PurePosixPath:
    """Take a runner's name as a path below ``sandbox/``. Raises SandboxError if it leads out."""
    path = PurePosixPath(runner)
    if path.is_absolute() or ".." in path.parts:
        raise SandboxError(f"runner {runner!r} is not a path below sandbox/")
    return path


@cache
def runners_digest() -> str:
    """Digest names and contents of all runners: what an execution depends on beside its program."""
    digest = hashlib.sha256()
    folder = runners_folder()
    for path in runner_files():
        content = (folder / path).read_bytes()
        digest.update(f"{path.as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def execution_digest(images: Mapping[str, str]) -> str:
    """Digest what executions depend on beside their programs: runners, and images by language."""
    if not images:
        return runners_digest()
    parts = [runners_digest(), *(f"{name}={images[name]}" for name in sorted(images))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def stage_runners(target: Path) -> None:
    """Copy the runners into ``target``, compiled and readable by any user.

    A copy, so that one run sees one version of them, and compiled, because a read-only mount would
    otherwise make every process compile them again (about 10 ms).
    """
    folder = runners_folder()
    target.chmod(0o755)
    for path in runner_files():
        copy = target / path
        copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        copy.parent.chmod(0o755)
        shutil.copyfile(folder / path, copy)
        copy.chmod(0o644)
    compileall.compile_dir(
        str(target), quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    for cached in target.rglob("__pycache__"):
        cached.chmod(0o755)
        for file in cached.iterdir():
            file.chmod(0o644)
