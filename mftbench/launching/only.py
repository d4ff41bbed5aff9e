"""A view of a store in which only some artifacts may be made; of the others the fault is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mftbench.errors import EngineError
from mftbench.launching.report import Fault
from mftbench.store import STAGES, Artifact, Store, key


class Only(Store):
    """Make the artifacts of ``allowed`` keys; find the others, or raise their ``faults``.

    What a stage makes on its way and shares (tokens) is no stage's artifact and is made.
    """

    def __init__(
        self, store: Store, allowed: Collection[str], faults: Mapping[str, Fault] | None = None
    ) -> None:
        super().__init__(store.root)
        self._store = store
        self._allowed = allowed
        self._faults = faults or {}

    def get_or_make(
        self,
        stage: str,
        spec: object,
        make: Callable[[Path, Path], None],
        provenance: Callable[[], Mapping[str, Any]] = dict,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> Artifact:
        """Give an artifact; one that is not allowed must be there.

        Raises the artifact's fault, or EngineError where none is known.
        """
        name = key(stage, spec)
        if name in self._allowed or stage not in STAGES:
            return self._store.get_or_make(stage, spec, make, provenance, waiting)
        if found := self.find(stage, name):
            return found
        if name in self._faults:
            raise self._faults[name].error()
        raise EngineError(f"{stage} {name} is not in the store; make it first")

    def find(self, stage: str, artifact_key: str) -> Artifact | None:
        """Find in the store itself."""
        return self._store.find(stage, artifact_key)

    def has(self, stage: str, artifact_key: str) -> bool:
        """Look in the store itself."""
        return self._store.has(stage, artifact_key)

    def peek(self, stage: str, artifact_key: str) -> Artifact | None:
        """Look into the store's own artifact."""
        return self._store.peek(stage, artifact_key)

    def put(self, name: str, text: str) -> None:
        """Keep a text in the store itself."""
        self._store.put(name, text)

    def get(self, name: str) -> str | None:
        """Read a text of the store itself."""
        return self._store.get(name)

    def work(self, stage: str, artifact_key: str) -> Path:
        """Give the store's own folder."""
        return self._store.work(stage, artifact_key)

    def items(self, name: str) -> Path:
        """Give the store's own file."""
        return self._store.items(name)

    @contextmanager
    def locked(self, name: str, waiting: Callable[[str], None]) -> Iterator[None]:
        """Hold the store's own lock."""
        with self._store.locked(name, waiting):
            yield
