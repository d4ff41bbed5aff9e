"""``mftbench doctor``: what this machine can run, and why it can't run the rest."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from mftbench.commands.options import DEFAULT_STORE, StoreName

Finding = tuple[str, bool, str]
"""A subject, whether it is usable, and one line about it."""


def doctor(
    store: StoreName = DEFAULT_STORE,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per finding.")] = False,
) -> None:
    """Check this machine: Python, torch, engines, sandboxes, languages, data, disk, self-checks."""
    from mftbench.canonical import dumps
    from mftbench.errors import MftbenchError

    sections: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _torch,
        _engines,
        _models,
        _sandboxes,
        _sources,
        lambda: _disk(store.folder),
        _accumulation,
        _packing,
    )
    for section in sections:
        try:
            for subject, usable, reason in section():
                if json:
                    typer.echo(dumps({"subject": subject, "usable": usable, "reason": reason}))
                else:
                    typer.echo(f"{'ok ' if usable else 'no '} {subject:<28} {reason}")
        except MftbenchError as error:
            typer.echo(f"no  {section.__name__.strip('_'):<28} {error}")


def _python() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield "python", True, f"{platform.python_version()} on {platform.machine()}, {cores} cores"


def _torch() -> Iterator[Finding]:
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    threads = f"{torch.get_num_threads()} threads"
    yield "torch", True, f"{torch.__version__}, {threads}, {device}"


def _engines() -> Iterator[Finding]:
    from mftbench.inference.registry import find_engines

    for name in find_engines():
        yield f"engine {name}", True, "importable"


def _models() -> Iterator[Finding]:
    from mftbench.errors import UsageError
    from mftbench.models import fingerprint
    from mftbench.models.location import BUILT_IN

    for name in BUILT_IN:
        try:
            yield f"model {name}", True, fingerprint(name)
        except UsageError as error:
            yield f"model {name}", False, str(error)


def _sandboxes() -> Iterator[Finding]:
    from mftbench.sandbox.select import sandboxes

    for name, factory in sandboxes().items():
        sandbox = factory()
        probe = sandbox.probe()
        yield f"sandbox {name}", probe.usable, probe.reason
        for language, version in probe.languages.items():
            yield f"  {language}", bool(version), version or "not installed: its items are missing"
        sandbox.close()


def _sources() -> Iterator[Finding]:
    from mftbench.errors import MftbenchError
    from mftbench.plugins import find_tasks, open_source

    for name, plugin in find_tasks().items():
        task = plugin()
        for source in task.sources:
            try:
                open_source(task, source, {}).fingerprint()
                yield f"data {name}/{source}", True, "found"
            except MftbenchError as error:
                yield f"data {name}/{source}", False, str(error)


def _disk(store: Path) -> Iterator[Finding]:
    folder = next(path for path in (store, *store.resolve().parents) if path.exists())
    free = shutil.disk_usage(folder).free / 2**30
    yield "disk", free > 1, f"{free:.1f} GiB free for the store at {store}"


def _accumulation() -> Iterator[Finding]:
    from mftbench.training.selfcheck import accumulation_error

    error = accumulation_error()
    yield "accumulation", error < 1e-6, f"8 x 1 and 1 x 8 differ by {error:.1e} relative"


def _packing() -> Iterator[Finding]:
    from mftbench.training.selfcheck import packing_error

    error = packing_error()
    yield "packing", error < 1e-5, f"rows packed and alone differ by {error:.1e} relative"
