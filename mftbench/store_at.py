"""Where a store is: a folder, or a URL with a folder of this node as its cache."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mftbench.caches import CACHE, cache_folder
from mftbench.canonical import digest
from mftbench.store import Store


@dataclass(frozen=True)
class StoreAt:
    """A folder; with a ``url`` it is this node's cache of the store there."""

    folder: Path
    url: str = ""

    def __str__(self) -> str:
        return self.url or str(self.folder)

    @property
    def argument(self) -> str:
        """Give the ``--store`` that names the same store on every node."""
        return self.url or str(self.folder.resolve())


def parse_store(value: object, environment: Mapping[str, str] = os.environ) -> StoreAt:
    """Read a ``--store``, or a default for it; what has "://" in it is a URL.

    Its cache is in ``MFTBENCH_CACHE``, or else in the user's cache folder, one for each machine.
    """
    text = str(value)
    if "://" not in text:
        return StoreAt(Path(text))
    url = text.rstrip("/")
    caches = cache_folder(environment)
    if not environment.get(CACHE):
        caches /= platform.node() or "node"
    return StoreAt(caches / digest(url, 12), url)


def open_store(at: StoreAt) -> Store:
    """Open a store.

    Raises UsageError if the URL's kind is not known, or needs a library that is not here.
    """
    if not at.url:
        return Store(at.folder)
    from mftbench.remote.objects import open_objects
    from mftbench.remote.patience import Patient
    from mftbench.remote.shared_store import SharedStore

    return SharedStore(Patient(open_objects(at.url)), at.folder)
