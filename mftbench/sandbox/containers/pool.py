"""The containers of one backend: taken for a step, given back, recycled, and removed at the end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from mftbench.errors import SandboxError
from mftbench.sandbox.containers.container import Container
from mftbench.sandbox.containers.engine import Engine
from mftbench.sandbox.containers.owner import own_labels, remove_leftovers
from mftbench.sandbox.containers.profile import Size, profile

RECYCLE_AFTER = 1000  # steps


class ContainerPool:
    """Containers by image and size; safe for many threads."""

    def __init__(self, engine: Engine, runtime: str, recycle_after: int = RECYCLE_AFTER) -> None:
        self._engine = engine
        self._runtime = runtime
        self._recycle_after = recycle_after
        self._lock = threading.Lock()
        self._idle: list[Container] = []
        self._all: set[Container] = set()
        self._closed = False
        self._removals = ThreadPoolExecutor(2, thread_name_prefix="containers")
        self._labels = own_labels()
        self._cores = engine.cores()
        remove_leftovers(engine)

    def take(self, image: str, size: Size) -> Container:
        """Give an idle container, or a new one. Raises SandboxError."""
        while (idle := self._take_idle(image, size)) is not None:
            if not idle.lost:
                return idle
            self._remove(idle)
        settings = profile(image, size, self._labels, self._cores, self._runtime)
        container = Container(self._engine, image, size, settings)
        with self._lock:
            closed = self._closed
            self._all.add(container)
        if closed:
            self._remove(container)
            raise SandboxError("the sandbox is closed")
        return container

    def _take_idle(self, image: str, size: Size) -> Container | None:
        with self._lock:
            for container in reversed(self._idle):
                if container.image == image and container.size.covers(size):
                    self._idle.remove(container)
                    return container
        return None

    def give_back(self, container: Container) -> None:
        """Keep a container for the next step, or replace it: after anything odd, or much use."""
        with self._lock:
            keep = container.clean and container.steps < self._recycle_after and not self._closed
            if keep:
                self._idle.append(container)
                return
            closed = self._closed
        if not closed:
            self._removals.submit(self._remove, container)

    def close(self) -> None:
        """Remove every container, also those that carry out a step: those steps then fail."""
        with self._lock:
            self._closed = True
            containers = list(self._all)
        for container in containers:
            self._removals.submit(self._remove, container)
        self._removals.shutdown()

    def _remove(self, container: Container) -> None:
        with suppress(SandboxError):  # the engine is gone; the next start removes what it left
            container.remove()
        with self._lock:
            self._all.discard(container)
