"""What every unit of a study must agree on, in one file beside the store's artifacts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mftbench.canonical import digest, dumps, plain
from mftbench.errors import UsageError
from mftbench.records import from_json
from mftbench.study import Study, study_toml

STUDY = "study.toml"
_FILE = "launch.json"


@dataclass(frozen=True)
class Launch:
    """A study as it is launched: the sandbox by name, the digests of its images, and plugins.

    A node that makes no executions need not have the sandbox to know their keys.
    """

    study: Study
    sandbox: str
    images: Mapping[str, str]
    tasks_dirs: tuple[str, ...] = ()


def write_launch(store: Path, launch: Launch) -> Path:
    """Write the file that units read, and the study for people; give their folder."""
    folder = store / "launch" / digest(launch)
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f"{_FILE}.part"
    scratch.write_text(dumps(plain(launch)) + "\n", encoding="ascii")
    scratch.rename(folder / _FILE)
    (folder / STUDY).write_text(study_toml(launch.study), encoding="utf-8")
    return folder


def read_launch(folder: Path) -> Launch:
    """Read a launch folder. Raises UsageError if it is none."""
    try:
        text = (folder / _FILE).read_text(encoding="ascii")
    except OSError as error:
        raise UsageError(f"{folder} is no launch folder: {error.strerror}") from None
    return from_json(Launch, json.loads(text))
