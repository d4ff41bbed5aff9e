"""What every unit of a study must agree on, in one text beside the store's artifacts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mftbench.canonical import digest, dumps, plain
from mftbench.errors import UsageError
from mftbench.records import from_json
from mftbench.store import Store
from mftbench.study import Study, study_toml

_FOLDER = "launch"


@dataclass(frozen=True)
class Launch:
    """A study as it is launched: the sandbox by name, the digests of its images, and plugins.

    A node that makes no executions need not have the sandbox to know their keys.
    """

    study: Study
    sandbox: str
    images: Mapping[str, str]
    tasks_dirs: tuple[str, ...] = ()


def write_launch(store: Store, launch: Launch) -> str:
    """Keep in the store what units read, and the study for people; give the launch's name."""
    name = digest(launch)
    store.put(f"{_FOLDER}/{name}/study.toml", study_toml(launch.study))
    store.put(_file(name), dumps(plain(launch)) + "\n")
    return name


def read_launch(store: Store, name: str) -> Launch:
    """Read a launch by its name. Raises UsageError if the store has none of it."""
    text = store.get(_file(name))
    if text is None:
        raise UsageError(f"no launch {name!r} in {store}; give the --store that run or plan had")
    return from_json(Launch, json.loads(text))


def launch_folder(store: Store, name: str) -> Path:
    """Give the folder of this machine in which a launch may keep its logs."""
    return store.root / _FOLDER / name


def _file(name: str) -> str:
    return f"{_FOLDER}/{name}/launch.json"
