"""Leases: one node at a time holds a name, and what a dead node held becomes free.

An object ``leases/<name>/<number>`` is a lease; the highest number counts. Its holder replaces it
with another count every few seconds. Who waits takes a lease for left behind if it has seen the
same count for long enough: no two clocks are compared. It is then followed by the next number,
which only one of those who wait can make.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from mftbench.canonical import dumps
from mftbench.errors import StoreError
from mftbench.remote.patience import Patient


@dataclass(frozen=True)
class Pace:
    """How often a holder beats, how often others look, and when a lease is left behind; seconds."""

    beat_s: float = 5.0
    look_s: float = 2.0
    dead_after_s: float = 60.0


class Leases:
    """The leases of one node. Who asks for one holds the name on its own node already.

    So a lease that this node is said to hold was left behind by a killed process.
    """

    def __init__(self, objects: Patient, node: str, pace: Pace | None = None) -> None:
        self._objects = objects
        self._node = node
        self._pace = pace or Pace()

    @contextmanager
    def held(self, name: str, waiting: Callable[[str], None]) -> Iterator[None]:
        """Hold a name against all other nodes; ``waiting`` is told it once if another holds it."""
        holder = uuid.uuid4().hex
        place = self._taken(name, holder, waiting)
        over = threading.Event()
        beating = threading.Thread(target=self._beat, args=(place, holder, over), daemon=True)
        beating.start()
        try:
            yield
        except BaseException:
            # The place may be why: it is not waited for. Our node takes the lease back at once.
            self._end(beating, over)
            with suppress(Exception):
                self._objects.objects.delete(place)
            raise
        self._end(beating, over)
        with suppress(StoreError):  # what was made under the lease is made
            self._objects.delete(place)

    def _taken(self, name: str, holder: str, waiting: Callable[[str], None]) -> str:
        folder = f"leases/{name}"
        told, seen, seen_for = False, b"", 0.0
        while True:
            before = self._numbers(folder)
            top = max(before, default=0)
            current = self._objects.read(f"{folder}/{top}") if top else None
            seen_for = seen_for + self._pace.look_s if current == seen else 0.0
            if current is None or self._is_ours(current) or seen_for >= self._pace.dead_after_s:
                place = f"{folder}/{top + 1}"
                if self._objects.create(place, self._content(holder, 0)):
                    if set(self._numbers(folder)) - set(before) == {top + 1}:
                        for number in before:
                            self._objects.delete(f"{folder}/{number}")
                        return place
                    self._objects.delete(place)  # we looked too slowly: somebody has another one
            seen = current or b""
            if not told:
                told = True
                waiting(name)
            time.sleep(self._pace.look_s)

    def _numbers(self, folder: str) -> list[int]:
        return sorted(int(name) for name in self._objects.names(folder))

    def _end(self, beating: threading.Thread, over: threading.Event) -> None:
        over.set()
        beating.join()

    def _beat(self, place: str, holder: str, over: threading.Event) -> None:
        count = 0
        while not over.wait(self._pace.beat_s):
            count += 1
            # While the place is away nobody else can look either.
            with suppress(Exception):
                self._objects.objects.replace(place, self._content(holder, count))

    def _content(self, holder: str, count: int) -> bytes:
        return dumps({"node": self._node, "holder": holder, "count": count}).encode("ascii")

    def _is_ours(self, content: bytes) -> bool:
        return bool(json.loads(content)["node"] == self._node)
