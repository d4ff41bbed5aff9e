"""The host's end of the worker: start it, talk to it, notice its death, take all of it away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mftbench.errors import UsageError

_WORKER = Path(__file__).with_name("worker.py")

_VERSION = """
import importlib.util, pathlib, re, sys
spec = importlib.util.find_spec("vllm")
if spec is None: sys.exit(3)
text = pathlib.Path(spec.origin).with_name("_version.py").read_text()
print(re.search(r"__version__ = .*?['\\"](.+?)['\\"]", text).group(1))
"""
"""Reads the version without an import of vLLM, which takes many seconds."""


class WorkerDied(Exception):
    """The worker ended, or said that vLLM failed; the message is its last words."""


def vllm_version(python: str) -> str:
    """Find out which vLLM an interpreter has.

    Raises UsageError if there is no such interpreter, or no vLLM in it.
    """
    remedy = "make an environment with scripts/vllm-cpu.sh and set engine_options.python"
    try:
        found = subprocess.run(
            [python, "-c", _VERSION], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"engine 'vllm': cannot run {python!r}: {error}; {remedy}") from error
    if found.returncode != 0:
        raise UsageError(f"engine 'vllm': {python!r} has no vLLM; {remedy}")
    return found.stdout.strip()


class Worker:
    """A running worker, its process group and its log. Opens vLLM with ``options``.

    Raises WorkerDied if vLLM cannot be opened.
    """

    def __init__(self, python: str, options: Mapping[str, Any]) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 # lives as long as the worker
        self._process = subprocess.Popen(
            # -P: what lies beside the worker's file must not hide modules of the same name.
            [python, "-P", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="ascii",
            env=_environment(),
            start_new_session=True,
        )
        self.pid = self._process.pid
        try:
            self.say(open=dict(options))
            self.hear()
        except WorkerDied:
            self.close()
            raise

    def say(self, **message: object) -> None:
        """Send one line."""
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise WorkerDied(self._last_words()) from error

    def hear(self) -> dict[str, Any]:
        """Wait for one line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith("\n"):
            raise WorkerDied(self._last_words())
        message: dict[str, Any] = json.loads(line)
        if "error" in message:
            raise WorkerDied(message["error"])
        return message

    def close(self) -> None:
        """End the worker and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.communicate()
        self._log.close()

    def _last_words(self) -> str:
        code = self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        errors = [line for line in lines if "Error" in line]
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"vLLM's process ended by {how}{': ' + errors[-1] if errors else ''}"


def _environment() -> dict[str, str]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    defaults = {
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": str(cores),
        # In one process the scheduler sees all requests before its first step, so what runs beside
        # what does not depend on time.
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_NO_USAGE_STATS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    return {**defaults, **os.environ}
