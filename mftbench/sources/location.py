"""Where the files of real data sets are: under the folder that MFTBENCH_DATA names."""

from __future__ import annotations

import os
from pathlib import Path

from mftbench.errors import UsageError

VARIABLE = "MFTBENCH_DATA"


def data_file(relative: str, origin: str) -> Path:
    """Find a data file under $MFTBENCH_DATA; ``origin`` says where a user gets it.

    Raises UsageError with one line that names every way to have the file.
    """
    found = optional_data_file(relative)
    if found is None:
        place = os.environ.get(VARIABLE)
        state = f"{VARIABLE} is {place!r}, where it is not" if place else f"{VARIABLE} is not set"
        raise UsageError(
            f"no data file {relative!r}: {state}; set {VARIABLE} to a folder that holds {relative}"
            f" (get it from {origin})"
        )
    return found


def data_folder(relative: str, origin: str) -> Path:
    """Find a folder of data files under $MFTBENCH_DATA.

    Raises UsageError with one line that names every way to have it.
    """
    path = _below(relative)
    if path is None or not path.is_dir():
        raise UsageError(
            f"no data folder {relative!r}: set {VARIABLE} to a folder that holds {relative}"
            f" (get it from {origin})"
        )
    return path


def optional_data_file(relative: str) -> Path | None:
    """Find a data file under $MFTBENCH_DATA, if it is there."""
    path = _below(relative)
    return path if path and path.is_file() else None


def _below(relative: str) -> Path | None:
    folder = os.environ.get(VARIABLE)
    return Path(folder).expanduser() / relative if folder else None
