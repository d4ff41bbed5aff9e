"""Isolation by containers: a pool of them, locked down, a fresh user for every process of a step.

Covered: what ``profile`` says. Every process of a step is a user that nobody was before, in a
container without network, without capabilities, with a read-only root; a container that had to end
anything, or that has carried out many steps, is replaced. Not covered: holes in the kernel itself,
unless the engine's runtime (``runsc``) puts another one between.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cached_property

from mftbench.contract import Execution, Limits, Program
from mftbench.errors import SandboxError
from mftbench.sandbox.backend import Probe
from mftbench.sandbox.containers.engine import DockerEngine, Engine
from mftbench.sandbox.containers.images import RECIPES, Image, find_images
from mftbench.sandbox.containers.pool import ContainerPool
from mftbench.sandbox.containers.profile import Size
from mftbench.sandbox.order import Ended, Order
from mftbench.sandbox.probing import probe_by_running
from mftbench.sandbox.steps import run_program
from mftbench.sandbox.toolchains import MissingLanguageError


class Docker:
    """Run programs in containers of a Docker-compatible engine, from many threads at once.

    ``runtime`` names one of the engine's runtimes; empty is its own choice.
    """

    retry_after_s = 1.0  # an engine that restarts takes some seconds

    def __init__(self, runtime: str = "", connect: Callable[[], Engine] = DockerEngine) -> None:
        self.name = f"docker:{runtime}" if runtime else "docker"
        self._runtime = runtime
        self._connect = connect
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._pool: ContainerPool | None = None
        self._closed = False

    def probe(self) -> Probe:
        """Say whether an engine answers and has images, by running a small program."""
        try:
            version, images = self._open_engine().version(), self._images
        except SandboxError as error:
            return Probe(False, str(error), {})
        if "python" not in images:
            return Probe(False, "Docker has no image of ours; run 'mftbench sandbox build'", {})
        languages = {recipe.language: "" for recipe in RECIPES.values()}
        languages.update({language: image.version for language, image in images.items()})
        probe = probe_by_running(self, languages)
        reason = f"Docker {version} with {len(images)} of {len(RECIPES)} images"
        return Probe(True, reason, languages) if probe.usable else probe

    def images(self) -> Mapping[str, str]:
        """Map languages to the digests of their images."""
        return {language: image.digest for language, image in self._images.items()}

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run the program's steps. Raises SandboxError if the sandbox failed, not the program."""
        return run_program(self, program, limits)

    def close(self) -> None:
        """Remove every container; what is running then fails."""
        with self._lock:
            self._closed = True
            pool, engine = self._pool, self._engine
        if pool is not None:
            pool.close()
        if engine is not None:
            engine.close()

    def require(self, language: str) -> None:
        """Raise MissingLanguageError if there is no image for the language."""
        if language not in self._images:
            raise MissingLanguageError(
                f"Docker has no image for {language}; run 'mftbench sandbox build {language}'"
            )

    def carry_out(self, order: Order) -> Ended:
        """Carry out one step in a container of its language. Raises SandboxError."""
        pool = self._open_pool()
        container = pool.take(self._images[order.language].digest, Size.of(order.limits))
        try:
            return container.carry_out(order)
        finally:
            pool.give_back(container)

    @cached_property
    def _images(self) -> Mapping[str, Image]:
        """Look once: one run sees one version of every image."""
        return find_images(self._open_engine())

    def _open_engine(self) -> Engine:
        with self._lock:
            if self._closed:
                raise SandboxError("the sandbox is closed")
            if self._engine is None:
                self._engine = self._connect()
            return self._engine

    def _open_pool(self) -> ContainerPool:
        with self._lock:
            engine = self._open_engine()
            if self._pool is None:
                self._pool = ContainerPool(engine, self._runtime)
            return self._pool
