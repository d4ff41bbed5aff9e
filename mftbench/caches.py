"""Where this machine keeps what it can make again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

CACHE = "MFTBENCH_CACHE"


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Give ``MFTBENCH_CACHE``, or else mftbench's folder in the user's cache folder."""
    home = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(environment.get(CACHE) or home / "mftbench")
