"""Which trackers follow a training: no setting of it, because no weight depends on who watches."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

from mftbench.errors import UsageError, require

VARIABLE: Final = "MFTBENCH_REPORT_TO"
"""Names trackers by commas; stages that run in processes of their own inherit it."""

PACKAGES: Final[Mapping[str, str]] = {
    "tensorboard": "tensorboard",
    "wandb": "wandb",
    "mlflow": "mlflow",
    "trackio": "trackio",
}
"""The package that each tracker needs."""


def follow(names: str) -> None:
    """Let trackers, by commas, follow the trainings of this process and of those that it starts.

    Raises UsageError for a tracker that is unknown or not installed.
    """
    for name in _listed(names):
        require("tracker", name, PACKAGES, "--report-to")
        if find_spec(PACKAGES[name]) is None:
            raise UsageError(
                f"--report-to {name}: it is not installed; pip install {PACKAGES[name]}"
            )
    os.environ[VARIABLE] = names


def trackers() -> list[str]:
    """Name the trackers that follow a training, by default none."""
    return _listed(os.environ.get(VARIABLE, ""))


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]
