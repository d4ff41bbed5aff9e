"""The Ray launcher: jobs as tasks on a cluster, each a subprocess on the node that Ray chooses."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mftbench.errors import UsageError
from mftbench.launching.child import end, start
from mftbench.launching.launcher import Job, Needs, State, Status

_LOG_EVERY_S = 1.0
_LOG_BYTES = 64 * 1024
_SHARE = 0.001
"""How much of a node's declared resource a job takes: it says where, not how many."""


class RayLauncher:
    """Run jobs on a Ray cluster, by default one of this machine alone that ends with us.

    ``resource`` names what nodes declare that can run the sandbox (``docker``, ``bubblewrap``);
    where no node declares it, every node is taken to have it. All nodes must see the store, and
    have Python and mftbench in the same place. A job whose node or worker dies is lost.
    """

    name = "ray"

    def __init__(self, address: str = "", resource: str = "") -> None:
        self._ray = _connected(address)
        self._resource = resource if resource in self._ray.cluster_resources() else ""
        self._run = self._ray.remote(_run)
        self._logs = self._ray.remote(_Logs).options(num_cpus=0).remote()
        self._refs: dict[str, Any] = {}
        self._over: dict[str, Status] = {}

    def submit(self, job: Job) -> None:
        """Take a job; Ray begins it where there is room."""
        self._check(job)
        self._over.pop(job.name, None)
        threads = {"OMP_NUM_THREADS": str(job.needs.cpus)}
        self._refs[job.name] = self._run.options(
            name=job.name,
            num_cpus=job.needs.cpus,
            num_gpus=job.needs.gpus,
            memory=job.needs.memory_mb * 2**20 or None,
            resources=self._resources(job.needs),
            max_retries=0,
        ).remote(job.name, job.command, threads | dict(job.environment), self._logs)

    def poll(self, name: str) -> Status:
        """Ask Ray without waiting; it does not tell a waiting job from a running one."""
        if name not in self._over:
            ready, _ = self._ray.wait([self._refs[name]], timeout=0)
            if not ready:
                return Status(State.RUNNING)
            self._over[name] = self._ended(self._refs[name])
        return self._over[name]

    def cancel(self, name: str) -> None:
        """End the worker that runs the job, and the job with it."""
        if name in self._refs and not self.poll(name).over:
            self._ray.cancel(self._refs[name], force=True)
            self._over[name] = Status(State.CANCELLED)

    def logs(self, name: str) -> str:
        """Give the end of what the job has written to standard error; "" if that node is gone."""
        try:
            return str(self._ray.get(self._logs.read.remote(name), timeout=10))
        except self._ray.exceptions.RayError:
            return ""

    def close(self) -> None:
        """Cancel what is not over and leave the cluster."""
        if self._ray.is_initialized():
            for name in self._refs:
                self.cancel(name)
            self._ray.shutdown()

    @property
    def gpus(self) -> int:
        """Give the GPUs of the whole cluster."""
        return int(self._ray.cluster_resources().get("GPU", 0))

    def _resources(self, needs: Needs) -> Mapping[str, float]:
        return {self._resource: _SHARE} if needs.sandbox and self._resource else {}

    def _check(self, job: Job) -> None:
        wanted = {"CPU": job.needs.cpus, "GPU": job.needs.gpus}
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        if not any(all(node.get(k, 0) >= n for k, n in wanted.items()) for node in nodes):
            raise UsageError(
                f"job {job.name!r} needs {job.needs.cpus} processors and {job.needs.gpus} GPUs on "
                "one node, and no node of the Ray cluster has them"
            )

    def _ended(self, ref: Any) -> Status:
        try:
            code, output = self._ray.get(ref)
        except self._ray.exceptions.RayError as error:
            return lost(error)
        return Status(State.LOST if code < 0 else State.ENDED, code, output)


def lost(error: Exception) -> Status:
    """Say that a job was lost to an error of Ray, the last line of which says why."""
    return Status(State.LOST, reason=str(error).strip().rpartition("\n")[2])


def _connected(address: str) -> Any:
    # Ray reads this when it is imported; nothing is reported to anybody.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError:
        raise UsageError(
            "launcher 'ray' needs Ray; install mftbench[ray], or use --launcher local"
        ) from None
    try:
        ray.init(
            address=address or "local",
            include_dashboard=False if not address else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, ValueError) as error:
        raise UsageError(f"no Ray cluster at {address!r}: {error}") from None
    return ray


def _run(
    name: str, command: tuple[str, ...], environment: Mapping[str, str], logs: Any
) -> tuple[int, str]:
    """Run a command on a node; send the end of its standard error as it grows."""
    with tempfile.TemporaryDirectory() as folder:
        output, log = Path(folder) / "out", Path(folder) / "log"
        with output.open("wb") as out, log.open("wb") as err:
            child = start(command, environment, out, err)
        try:
            sent = 0.0
            while child.poll() is None:
                time.sleep(0.05)
                if time.monotonic() - sent > _LOG_EVERY_S:
                    sent = time.monotonic()
                    logs.write.remote(name, _tail(log))
        finally:
            end(child)
        logs.write.remote(name, _tail(log))
        return child.returncode, output.read_text(encoding="utf-8", errors="replace")


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_BYTES))
        return file.read().decode("utf-8", errors="replace")


class _Logs:
    """An actor that keeps the end of every job's log."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def write(self, name: str, text: str) -> None:
        self._texts[name] = text

    def read(self, name: str) -> str:
        return self._texts.get(name, "")
