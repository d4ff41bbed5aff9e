"""The conformance check for places of objects: what a store behind a URL relies on."""

from __future__ import annotations

import tempfile
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mftbench.errors import PluginError
from mftbench.remote.objects import Objects

_CALLERS = 8
_RACES = 3


def check_objects(objects: Objects) -> None:
    """Prove that a place keeps the promises of ``Objects``; it leaves nothing behind.

    Raises PluginError naming the first promise that is broken.
    """
    trial = _Trial(objects, f"trial-{uuid.uuid4().hex}")
    for promise in _PROMISES:
        promise(trial)


@dataclass(frozen=True)
class _Trial:
    objects: Objects
    folder: str

    def name(self, last: str) -> str:
        return f"{self.folder}/{last}"

    def demand(self, kept: bool, complaint: str) -> None:
        if not kept:
            raise PluginError(f"objects at {self.objects.url}: {complaint}")


def _creates_once(trial: _Trial) -> None:
    objects, name = trial.objects, trial.name("one")
    trial.demand(objects.read(name) is None, "there is an object that nobody made")
    trial.demand(objects.create(name, b"first"), "could not create an object")
    trial.demand(not objects.create(name, b"second"), "created an object that was there")
    trial.demand(objects.read(name) == b"first", "did not keep the first of two objects")


def _replaces(trial: _Trial) -> None:
    objects, name = trial.objects, trial.name("one")
    objects.replace(name, b"third")
    trial.demand(objects.read(name) == b"third", "did not put other bytes in an object's place")


def _lists_at_once(trial: _Trial) -> None:
    objects = trial.objects
    objects.create(trial.name("deep/er"), b"")
    names = sorted(objects.names(trial.folder))
    trial.demand(names == ["one"], f"listed {names} where only 'one' and a folder are")
    trial.demand(objects.names(trial.name("none")) == [], "listed something in no folder")


def _deletes(trial: _Trial) -> None:
    objects = trial.objects
    for last in ("one", "deep/er", "never"):
        objects.delete(trial.name(last))
    trial.demand(objects.read(trial.name("one")) is None, "kept a deleted object")
    trial.demand(objects.names(trial.folder) == [], "listed a deleted object")


def _carries_files(trial: _Trial) -> None:
    name = trial.name("up/file.bin")
    with tempfile.TemporaryDirectory() as folder:
        there, back = Path(folder) / "there", Path(folder) / "back"
        for data in (b"", bytes(range(256)) * 4096):
            there.write_bytes(data)
            trial.objects.upload(there, name)
            trial.objects.download(name, back)
            trial.demand(back.read_bytes() == data, f"changed a file of {len(data)} bytes")
    trial.objects.delete(name)


def _one_of_many_creates(trial: _Trial) -> None:
    for race in range(_RACES):
        name, start = trial.name(f"race-{race}"), threading.Barrier(_CALLERS)
        with ThreadPoolExecutor(_CALLERS) as pool:
            made = list(pool.map(partial(_created, trial.objects, name, start), range(_CALLERS)))
        trial.objects.delete(name)
        trial.demand(made.count(True) == 1, f"{made.count(True)} of {_CALLERS} callers created it")


def _created(objects: Objects, name: str, start: threading.Barrier, caller: int) -> bool:
    start.wait()
    return objects.create(name, str(caller).encode("ascii"))


_PROMISES: tuple[Callable[[_Trial], None], ...] = (
    _creates_once,
    _replaces,
    _lists_at_once,
    _deletes,
    _carries_files,
    _one_of_many_creates,
)
