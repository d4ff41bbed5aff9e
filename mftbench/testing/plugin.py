"""The conformance check of a plugin as a folder: a pure import, and a datasheet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mftbench.plugins import TaskPlugin
from mftbench.testing.task import Finding

__all__ = ["check_plugin"]

DATASHEET = "README.md"

# Runs in a fresh interpreter, so that nothing has been imported before. Reading files is what an
# import is; writing them, starting processes, opening connections and loading torch are not.
_PROBE = """
import json, os, sys
from pathlib import Path
from mftbench.plugins import load_task

effects = []

def watch(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if writes or event in {"os.mkdir", "os.remove", "os.rename", "os.system", "os.putenv",
                           "subprocess.Popen", "socket.connect", "os.fork"}:
        effects.append(f"{event} {arguments[0]!r}")

sys.addaudithook(watch)
before = dict(os.environ)
load_task(sys.argv[1], [Path(folder) for folder in sys.argv[2:]])
if dict(os.environ) != before:
    effects.append("changes the environment")
heavy = {"torch", "transformers", "docker", "vllm", "datasets"} & set(sys.modules)
effects.extend(f"imports {name}" for name in sorted(heavy))
print(json.dumps(effects))
"""


def check_plugin(plugin: TaskPlugin, tasks_dirs: Sequence[Path] = ()) -> tuple[Finding, ...]:
    """Check a plugin before any of its data is opened."""
    return (_import_is_pure(plugin, tasks_dirs), _datasheet(plugin))


def _import_is_pure(plugin: TaskPlugin, tasks_dirs: Sequence[Path]) -> Finding:
    claim = "importing it has no effects"
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, plugin.name, *map(str, tasks_dirs)],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        return Finding(claim, False, done.stderr.strip().splitlines()[-1])
    *printed, last = done.stdout.splitlines()
    effects = json.loads(last) + [f"prints {line!r}" for line in printed + done.stderr.splitlines()]
    return Finding(claim, not effects, "; ".join(effects[:5]))


def _datasheet(plugin: TaskPlugin) -> Finding:
    claim = f"it has a datasheet ({DATASHEET})"
    path = plugin.folder() / DATASHEET
    return Finding(claim, path.is_file() and bool(path.read_text(encoding="utf-8").strip()))
