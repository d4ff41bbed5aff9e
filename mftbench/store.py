"""Content-addressed artifacts: made once, published atomically, guarded by one lock per key.

STORE/<stage>/<key>/          a finished artifact: its files, spec.json, provenance.json
STORE/work/<stage>/<key>/     what an unfinished stage has so far; survives kill -9
STORE/launch/<name>/          what the units of a launched study agree on, and their logs
STORE/items/<family>.jsonl    single items that several artifacts share; lines are only added
STORE/locks/<key>             held while a key is made; the kernel frees it with the process
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mftbench.canonical import digest, dumps
from mftbench.errors import PluginError, SandboxError, StoreError, UsageError

if TYPE_CHECKING:
    from filelock import FileLock

STAGES = ("train", "generate", "execute", "score")


def key(stage: str, spec: object) -> str:
    """Name an artifact by everything that determines its bytes."""
    return digest({"stage": stage, "spec": _said(spec)})


def _said(spec: Any) -> Any:
    """Give a record's fields but those that are None: what came later keeps the keys before it."""
    if not is_dataclass(spec) or isinstance(spec, type):
        return spec
    return asdict(
        spec, dict_factory=lambda items: {name: each for name, each in items if each is not None}
    )


@dataclass(frozen=True)
class Artifact:
    """A finished artifact; ``made`` is false where it was found, not made."""

    stage: str
    key: str
    path: Path
    made: bool = False

    @property
    def spec(self) -> dict[str, Any]:
        """Read the spec that the artifact was made from."""
        return _read_json(self.path / "spec.json")

    @property
    def provenance(self) -> dict[str, Any]:
        """Read what was true when the artifact was made: versions, commit, machine, times."""
        return _read_json(self.path / "provenance.json")


class Unfinished(Exception):
    """Raised by a maker whose artifact must not be published, though its work is worth keeping."""


@dataclass(frozen=True)
class Store:
    """A folder of artifacts. Any number of processes may use it at the same time."""

    root: Path

    def find(self, stage: str, artifact_key: str) -> Artifact | None:
        """Give the finished artifact, or None."""
        path = self.root / stage / artifact_key
        return Artifact(stage, artifact_key, path) if path.is_dir() else None

    def has(self, stage: str, artifact_key: str) -> bool:
        """Say whether an artifact is finished, without getting it."""
        return self.find(stage, artifact_key) is not None

    def peek(self, stage: str, artifact_key: str) -> Artifact | None:
        """Give the finished artifact for its own files; its folders, a model's, may be absent."""
        return self.find(stage, artifact_key)

    def put(self, name: str, text: str) -> None:
        """Keep a text for all who use the store, at once and in place of what was there.

        Raises StoreError if the disk is full or refuses the write.
        """
        path = self.root / name
        with _disk_errors(self.root):
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch = path.with_name(f"{path.name}.{os.getpid()}.part")
            scratch.write_text(text, encoding="utf-8")
            scratch.replace(path)

    def get(self, name: str) -> str | None:
        """Give a kept text, or None if there is none."""
        path = self.root / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def work(self, stage: str, artifact_key: str) -> Path:
        """Give the folder that keeps an unfinished artifact's work between attempts."""
        return self.root / "work" / stage / artifact_key

    def items(self, name: str) -> Path:
        """Give a file of single items that artifacts share; who writes holds its name."""
        return self.root / "items" / f"{name}.jsonl"

    def get_or_make(
        self,
        stage: str,
        spec: object,
        make: Callable[[Path, Path], None],
        provenance: Callable[[], Mapping[str, Any]] = dict,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> Artifact:
        """Give the artifact of a spec; make it with ``make(out, work)`` if there is none.

        ``out`` is published when ``make`` returns. ``work`` keeps its content if ``make`` raises or
        the process dies. ``waiting`` is told the key if another process is making the artifact.

        Raises StoreError if the disk is full or refuses the write; nothing finished is lost then.
        """
        name = key(stage, spec)
        if found := self.find(stage, name):
            return found
        with self.locked(name, waiting):
            work = self.work(stage, name)
            if found := self.find(stage, name):
                shutil.rmtree(work, ignore_errors=True)  # of an attempt that others overtook
                return found
            done = work / "done"  # there already if it could not be published
            if not done.exists():
                out = work / "out"
                shutil.rmtree(out, ignore_errors=True)
                out.mkdir(parents=True)
                make(out, work)
                _write(out / "spec.json", _said(spec))
                _write(out / "provenance.json", dict(provenance()))
                _flush(out)
                out.rename(done)
            made = self._publish(done, stage, name)
            shutil.rmtree(work, ignore_errors=True)
        return Artifact(stage, name, self.root / stage / name, made)

    def search(self, prefix: str) -> Artifact:
        """Find the artifact whose key starts with ``prefix``.

        Raises UsageError if none does, or several do.
        """
        names = [(stage, name) for stage in STAGES for name in self._keys(stage, prefix)]
        if len(names) > 1:
            raise UsageError(f"{prefix!r} names {len(names)} artifacts; give more of the key")
        found = self.peek(*names[0]) if names else None
        if found is None:
            raise UsageError(f"no artifact {prefix!r} in {self}; keys stand in results.jsonl")
        return found

    def __str__(self) -> str:
        return str(self.root)

    def _keys(self, stage: str, prefix: str) -> list[str]:
        return sorted(path.name for path in (self.root / stage).glob(f"{prefix}*"))

    def _publish(self, done: Path, stage: str, artifact_key: str) -> bool:
        """Let a flushed folder appear as an artifact; False if another one was there first."""
        final = self.root / stage / artifact_key
        final.parent.mkdir(parents=True, exist_ok=True)
        done.rename(final)
        _fsync(final.parent)
        return True

    @contextmanager
    def locked(self, name: str, waiting: Callable[[str], None]) -> Iterator[None]:
        """Hold a name against all other processes; ``waiting`` is told it if another holds it.

        Raises StoreError if the disk is full or refuses a write, also one while the name is held.
        """
        with _disk_errors(self.root):
            lock = self._lock(name, waiting)
            try:
                yield
            finally:
                lock.release()

    def _lock(self, name: str, waiting: Callable[[str], None]) -> FileLock:
        from filelock import FileLock, Timeout

        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / name)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting(name)
            lock.acquire()
        return lock


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""The disk takes nothing more, whatever was to be written."""
_REFUSED = (errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST)
"""One path was refused, which may be any path of the machine; a store may be a file."""
_NOT_OURS = (Unfinished, PluginError, SandboxError, UsageError, StoreError)
"""They say already who is to blame, and may quote what a disk said elsewhere."""


@contextmanager
def _disk_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except _NOT_OURS:
        raise
    except Exception as error:
        reason = _refusal(error, root)
        if not reason:
            raise
        raise StoreError(
            f"cannot write to the store at {root}: {reason}; finished artifacts are kept: make "
            "room or set --store, then run again"
        ) from error


def _refusal(error: Exception, root: Path) -> str:
    """Say how the store's disk refused, or "" for any other error.

    Libraries that write through Rust (safetensors), and ranks of a training, raise errors of their
    own kind, in which only the message tells.
    """
    if isinstance(error, OSError):
        code = error.errno or 0
        refused = code in _REFUSED and _lies_under(root, error.filename)
        return os.strerror(code) if refused or code in _FULL else ""
    return next((os.strerror(code) for code in _FULL if os.strerror(code) in str(error)), "")


def _lies_under(root: Path, filename: object) -> bool:
    if not isinstance(filename, str | bytes | os.PathLike):
        return False
    return Path(os.fsdecode(filename)).resolve().is_relative_to(root.resolve())


def _flush(folder: Path) -> None:
    """Hand everything in a folder to the disk, so that a rename never shows a torn file."""
    for path in sorted(folder.rglob("*")):
        _fsync(path)
    _fsync(folder)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, value: object) -> None:
    path.write_text(dumps(value) + "\n", encoding="ascii")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{path}: unreadable ({error}); delete {path.parent} to re-make it"
        ) from error
    if not isinstance(value, dict):
        raise StoreError(f"{path}: expected an object; delete {path.parent} to re-make it")
    return value
