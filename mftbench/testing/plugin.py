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
_MARK = "effects of the import: "
_PROBE = """
import json, os, sys
from pathlib import Path
from mftbench.plugins import load_task

effects = []
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
WATCHED = {"os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.link", "os.symlink",
           "os.truncate", "os.putenv", "os.system", "os.exec", "os.fork", "os.posix_spawn",
           "subprocess.Popen", "socket.connect", "socket.bind"}

def watch(event, arguments):
    if event in WATCHED or event == "open" and arguments[2] & WRITING:
        effects.append(f"{event} {arguments[0]!r}")

sys.addaudithook(watch)
before = dict(os.environ)
load_task(sys.argv[2], [Path(folder) for folder in sys.argv[3:]])
if dict(os.environ) != before:
    effects.append("changes the environment")
heavy = {"torch", "transformers", "docker", "vllm", "datasets"} & set(sys.modules)
effects.extend(f"imports {name}" for name in sorted(heavy))
print(sys.argv[1] + json.dumps(effects))
"""


def check_plugin(
    plugin: TaskPlugin, tasks_dirs: Sequence[Path] = (), *, patience_s: float = 120.0
) -> tuple[Finding, ...]:
    """Check a plugin before any of its data is opened."""
    return (_import_is_pure(plugin, tasks_dirs, patience_s), _datasheet(plugin))


def _import_is_pure(plugin: TaskPlugin, tasks_dirs: Sequence[Path], patience_s: float) -> Finding:
    effects = _effects(plugin, tasks_dirs, patience_s)
    return Finding("importing it has no effects", not effects, "; ".join(effects[:5]))


def _effects(plugin: TaskPlugin, tasks_dirs: Sequence[Path], patience_s: float) -> list[str]:
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, _MARK, plugin.name, *map(str, tasks_dirs)],
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=patience_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [f"has not ended after {patience_s:g} s"]
    lines, complaints = done.stdout.splitlines(), done.stderr.strip().splitlines()
    if done.returncode != 0 and complaints:
        return complaints[-1:]
    told = [line for line in lines if line.startswith(_MARK)]
    if done.returncode != 0 or not told:
        return [f"ends the process, with exit status {done.returncode}"]
    printed = [line for line in lines if line not in told] + complaints
    effects: list[str] = json.loads(told[-1].removeprefix(_MARK))
    return effects + [f"prints {line!r}" for line in printed]


def _datasheet(plugin: TaskPlugin) -> Finding:
    claim = f"it has a datasheet ({DATASHEET})"
    path = plugin.folder() / DATASHEET
    return Finding(claim, path.is_file() and bool(path.read_text(encoding="utf-8").strip()))
