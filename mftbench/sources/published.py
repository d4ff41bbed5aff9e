"""Published data sets: what a paper must say of one, its files and their digests, and its rows."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

from mftbench.canonical import digest as digest_of
from mftbench.contract import Example, Metric, Problem, Prompt, Source
from mftbench.errors import UsageError
from mftbench.sources.jsonl import digest, read_rows
from mftbench.sources.location import data_file, optional_data_file

__all__ = ["ORIGIN_SUFFIX", "DataFile", "First", "Hub", "Published"]

Row = TypeVar("Row")

ANY_DATA = "MFTBENCH_CHANGED_DATA"
ORIGIN_SUFFIX = ".origin.json"


@dataclass(frozen=True)
class Hub:
    """Where the hub has a file's rows. ``renamed`` pairs fields: the file's, the hub's.

    ``revision`` is a commit; where it is empty, whoever fetches must name one.
    """

    dataset: str
    splits: tuple[str, ...] = ("test",)
    config: str | None = None
    revision: str = ""
    renamed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class DataFile(Generic[Row]):
    """One file of a data set in its upstream format, with the digest that it is held to.

    ``path`` is below $MFTBENCH_DATA, ``upstream`` the address of exactly these bytes, ``count`` the
    rows in it, ``key`` the field that names a row ("" if none does), and ``package`` gives an
    installed package's copy.
    """

    path: str
    kind: type[Row]
    sha256: str
    count: int
    upstream: str
    key: str = "task_id"
    hub: Hub | None = None
    package: Callable[[], Path] | None = None

    def locate(self) -> Path:
        """Find the file below $MFTBENCH_DATA, else in a package that ships it.

        Raises UsageError with one line that names every way to have it.
        """
        found = optional_data_file(self.path)
        if found is None and self.package is not None:
            return self.package()
        hub = f", {self.hub.dataset} on the hub" if self.hub else ""
        return found or data_file(self.path, f"{self.upstream}{hub}, or by 'mftbench data fetch'")

    def rows(self) -> Sequence[Row]:
        """Read all rows.

        Raises UsageError naming file, line and reason if the file is not what it should be.
        """
        path = self.locate()
        state = path.stat()
        return _read(self, path, state.st_mtime_ns, state.st_size, self.changes_allowed)

    def fingerprint(self) -> str:
        """Give the SHA-256 of the file."""
        return digest(self.locate())

    @property
    def changes_allowed(self) -> bool:
        """Say whether the user asked for files that are not the published ones."""
        return bool(os.environ.get(ANY_DATA))

    def verify(self, path: Path) -> None:
        """Hold a file to the published digest, or to the one noted when it was fetched.

        Raises UsageError if it has neither.
        """
        found, known = digest(path), (self.sha256, _noted(path))
        if found not in known:
            raise UsageError(
                f"{path}: its SHA-256 is {found[:12]}, not {self.sha256[:12]} of {self.upstream};"
                f" get it again, or set {ANY_DATA}=1 to use it as it is"
            )


@dataclass(frozen=True)
class First:
    """How many rows of either split to take, from the first; None is all."""

    train: int | None = None
    problems: int | None = None


def _none() -> Iterable[Any]:
    return ()


@dataclass(frozen=True)
class Published:
    """What a paper must say of a data set: name, licence, citation, version, and its split rule."""

    name: str
    licence: str
    citation: str
    version: str
    notes: str

    def source(
        self,
        form: str,
        files: Sequence[DataFile[Any]],
        *,
        train: Callable[[], Iterable[Example]] = _none,
        problems: Callable[[], Iterable[Problem]] = _none,
        first: First | None = None,
        prompt: Prompt | None = None,
        metrics: tuple[Metric, ...] = (),
    ) -> Source:
        """Make a source of the files. ``form`` names the rendering and its version.

        Raises UsageError if a file cannot be had.
        """
        cut = first or First()
        for file in files:
            file.locate()

        def fingerprint() -> str:
            bytes_of = " ".join(file.fingerprint() for file in files)
            asked = f" prompt={digest_of(prompt)}" if prompt else ""
            return f"{bytes_of} {form} train={cut.train} problems={cut.problems}{asked}"

        return Source(
            name=self.name,
            licence=self.licence,
            citation=self.citation,
            version=self.version,
            notes=self.notes,
            train=lambda: islice(train(), cut.train),
            problems=lambda: islice(problems(), cut.problems),
            fingerprint=fingerprint,
            prompt=prompt,
            metrics=metrics,
        )


@lru_cache(maxsize=24)
def _read(
    file: DataFile[Row], path: Path, _modified: int, _size: int, changes_allowed: bool
) -> Sequence[Row]:
    """Read a file once for all sources that share it; the file's state is part of the key."""
    rows = tuple(read_rows(path, file.kind, key=file.key))
    if not changes_allowed:
        file.verify(path)
    return rows


def _noted(path: Path) -> str:
    """Read the digest that was noted beside a file when it was fetched from the hub."""
    note = path.with_name(path.name + ORIGIN_SUFFIX)
    if not note.is_file():
        return ""
    try:
        return str(json.loads(note.read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{note}: not a note of where a file is from: {error}") from error
