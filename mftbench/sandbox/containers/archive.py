"""The archive that a container unpacks at its start: the runners and what carries steps out."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path

import mftbench.sandbox
from mftbench.sandbox.runners import runner_files, runners_folder

# The host's own modules that run in containers too; none imports more than the standard library.
_SHARED = ("capture", "carry_out", "cell", "frames", "message", "order", "supervise", "watch")


@cache
def supervisor_archive() -> bytes:
    """Pack the runners, and the shared modules under their own names."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in runner_files():
            archive.writestr(path.as_posix(), (runners_folder() / path).read_bytes())
        for package in ("mftbench", "mftbench/sandbox"):
            archive.writestr(f"{package}/__init__.py", "")
        for name in _SHARED:
            source = Path(mftbench.sandbox.__path__[0], f"{name}.py")
            archive.writestr(f"mftbench/sandbox/{name}.py", source.read_bytes())
    return body.getvalue()
