"""A store behind a URL: a node's own store is its cache, and finished artifacts are everybody's.

URL/<stage>/<key>.json            a finished artifact: the manifest of its files
URL/files/<stage>/<key>/<token>/  the files of one publication, uploaded before its manifest
URL/leases/<name>/<number>        held while a key is made on some node
URL/launch/<name>/                what the units of a launched study agree on
URL/store.json                    says that the place can decide who was first

The cache has the layout of every store. What a node has of unfinished stages, completions item by
item and token rows are its own and stay there.
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from mftbench.errors import StoreError, UsageError
from mftbench.remote.lease import Leases, Pace
from mftbench.remote.manifest import Manifest, describe, from_bytes, to_bytes
from mftbench.remote.patience import Patient
from mftbench.store import STAGES, Artifact, Store

_MARK = "store.json"
_FRESH_S = 5.0
"""How long a listing may answer whether something is there: a plan asks for thousands of keys."""
_DOWNLOADS = 3


class SharedStore(Store):
    """The store of a URL. Any number of nodes may use it, each with a cache of its own."""

    def __init__(self, objects: Patient, cache: Path, pace: Pace | None = None) -> None:
        super().__init__(cache)
        self._objects = objects
        self._pace = pace
        self._leases: Leases | None = None
        self._listed: dict[str, tuple[float, frozenset[str]]] = {}

    def __str__(self) -> str:
        return self._objects.url

    def has(self, stage: str, artifact_key: str) -> bool:
        """Look in the cache, then in a listing that is a few seconds old at most."""
        if super().find(stage, artifact_key):
            return True
        return stage in STAGES and artifact_key in self._listing(stage)

    def find(self, stage: str, artifact_key: str) -> Artifact | None:
        """Give the artifact from the cache, or get it into the cache first.

        Raises StoreError if its files are not those that were published.
        """
        found = super().find(stage, artifact_key)
        if found or stage not in STAGES:
            return found
        manifest = self._manifest(stage, artifact_key)
        if manifest is None:
            return None
        final = self.root / stage / artifact_key
        self._fetch(artifact_key, manifest, final)
        return Artifact(stage, artifact_key, final)

    def peek(self, stage: str, artifact_key: str) -> Artifact | None:
        """Give the artifact from the cache, or get its own files, without those in folders."""
        if found := super().find(stage, artifact_key):
            return found
        peeked = self.root / "peeked" / stage / artifact_key
        if not peeked.is_dir():
            manifest = self._manifest(stage, artifact_key)
            if manifest is None:
                return None
            files = tuple(file for file in manifest.files if not file.nested)
            self._fetch(artifact_key, Manifest(manifest.folder, files), peeked)
        return Artifact(stage, artifact_key, peeked)

    def get_or_make(
        self,
        stage: str,
        spec: object,
        make: Callable[[Path, Path], None],
        provenance: Callable[[], Mapping[str, Any]] = dict,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> Artifact:
        """Give an artifact, made on some node; what is no stage's (tokens) every node makes."""
        if stage not in STAGES:
            return Store(self.root).get_or_make(stage, spec, make, provenance, waiting)
        return super().get_or_make(stage, spec, make, provenance, waiting)

    def put(self, name: str, text: str) -> None:
        """Keep a text in the place."""
        self._objects.replace(name, text.encode("utf-8"))

    def get(self, name: str) -> str | None:
        """Read a text from the place."""
        data = self._objects.read(name)
        return None if data is None else data.decode("utf-8")

    @contextmanager
    def locked(self, name: str, waiting: Callable[[str], None]) -> Iterator[None]:
        """Hold a name against this node's processes, then against all other nodes."""
        with super().locked(name, waiting), self._node_leases().held(name, waiting):
            self._listed.clear()  # what was made while we waited is there now
            yield

    def _keys(self, stage: str, prefix: str) -> list[str]:
        there = {name for name in self._listing(stage) if name.startswith(prefix)}
        return sorted({*super()._keys(stage, prefix), *there})

    def _publish(self, done: Path, stage: str, artifact_key: str) -> bool:
        """Upload the files, then create the manifest: only that makes them an artifact.

        If another node was first, its artifact is taken and ours is thrown away.
        """
        uploads = f"files/{stage}/{artifact_key}/{uuid.uuid4().hex}"
        manifest = describe(done, uploads)
        for file in manifest.files:
            self._objects.upload(done / file.name, f"{uploads}/{file.name}")
        if self._objects.create(_object(stage, artifact_key), to_bytes(manifest)):
            self._keep(done, stage, artifact_key)
            return True
        for file in manifest.files:
            self._objects.delete(f"{uploads}/{file.name}")
        if self.find(stage, artifact_key) is None:
            raise StoreError(f"{self}/{_object(stage, artifact_key)} went away; run again")
        return False

    def _keep(self, done: Path, stage: str, artifact_key: str) -> None:
        """Move what is published into the cache, if no process of this node has got it by now."""
        with self._fetching(artifact_key):
            if not (self.root / stage / artifact_key).is_dir():
                super()._publish(done, stage, artifact_key)

    def _manifest(self, stage: str, artifact_key: str) -> Manifest | None:
        name = _object(stage, artifact_key)
        data = self._objects.read(name)
        return None if data is None else from_bytes(data, f"{self}/{name}")

    def _listing(self, stage: str) -> frozenset[str]:
        listed_at, names = self._listed.get(stage, (-_FRESH_S, frozenset()))
        if time.monotonic() - listed_at > _FRESH_S:
            names = frozenset(name.removesuffix(".json") for name in self._objects.names(stage))
            self._listed[stage] = (time.monotonic(), names)
        return names

    def _fetch(self, artifact_key: str, manifest: Manifest, final: Path) -> None:
        """Get the files of an artifact into the cache; one process of a node does."""
        with self._fetching(artifact_key):
            if not final.is_dir():
                self._download(manifest, final)

    def _fetching(self, artifact_key: str) -> AbstractContextManager[None]:
        return super().locked(f"fetch-{artifact_key}", lambda _: None)

    def _download(self, manifest: Manifest, final: Path) -> None:
        """Get the files of a manifest, and let the folder appear when all are proved."""
        scratch = self.root / "fetching" / uuid.uuid4().hex
        try:
            for file in manifest.files:
                self._get(f"{manifest.folder}/{file.name}", scratch / file.name, file.matches)
            scratch.mkdir(parents=True, exist_ok=True)
            final.parent.mkdir(parents=True, exist_ok=True)
            scratch.rename(final)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _get(self, name: str, path: Path, proved: Callable[[Path], bool]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(_DOWNLOADS):
            self._objects.download(name, path)
            if proved(path):
                return
        raise StoreError(
            f"{self}/{name}: not the bytes that were published; delete the artifact's manifest "
            "there to re-make it"
        )

    def _node_leases(self) -> Leases:
        """Open this node's leases, once the place has proved that it can hold a store."""
        if self._leases is None:
            self._prove_place()
            with super().locked("node", lambda _: None):
                path = self.root / "node"
                if not path.exists():
                    path.write_text(uuid.uuid4().hex, encoding="ascii")
                self._leases = Leases(self._objects, path.read_text(encoding="ascii"), self._pace)
        return self._leases

    def _prove_place(self) -> None:
        if self._objects.read(_MARK) is not None:
            return
        trial = f"trials/{uuid.uuid4().hex}"
        _, again = (self._objects.create(trial, _anything()) for _ in range(2))
        self._objects.delete(trial)
        if again:
            raise UsageError(
                f"--store {self}: a second object takes the place of a first one there, so nobody "
                "knows who was first; use S3 or a server that honours If-None-Match"
            )
        self._objects.create(_MARK, _anything())


def _anything() -> bytes:
    return uuid.uuid4().hex.encode("ascii")


def _object(stage: str, artifact_key: str) -> str:
    return f"{stage}/{artifact_key}.json"
