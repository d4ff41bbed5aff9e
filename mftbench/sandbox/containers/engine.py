"""The seam to the engine: what the backend asks of one, and the one that the Docker SDK reaches.

``DOCKER_HOST`` and its relatives say where the engine is, as for every Docker client.
"""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mftbench.errors import SandboxError

if TYPE_CHECKING:
    from docker import DockerClient

_API_S = 60


@dataclass(frozen=True)
class Found:
    """An image or a container that the engine has: its id, its labels, its bytes if an image."""

    id: str
    labels: Mapping[str, str]
    size_bytes: int = 0


class Stream(Protocol):
    """A connected socket, in the part that is used."""

    def sendall(self, body: bytes, /) -> None:
        """Send all of it."""

    def recv(self, count: int, /) -> bytes:
        """Receive at most so many bytes; empty at the end."""

    def settimeout(self, seconds: float | None, /) -> None:
        """Let sending and receiving raise TimeoutError after so long."""

    def close(self) -> None:
        """Close it."""


class Engine(Protocol):
    """What runs containers. Everything raises SandboxError if the engine fails."""

    def version(self) -> str:
        """Say the engine's version."""

    def cores(self) -> int:
        """Count the cores of the engine's machine."""

    def images(self, label: str) -> Sequence[Found]:
        """List the tagged images with a label, newest first."""

    def containers(self, label: str) -> Sequence[Found]:
        """List all containers with a label, whatever their state."""

    def start(self, settings: Mapping[str, Any]) -> tuple[str, Stream]:
        """Create a container, attach to its standard streams, start it; its id and the socket."""

    def remove(self, container: str) -> None:
        """End and remove a container; harmless if it is gone."""

    def build(self, context: bytes, options: Mapping[str, Any], say: Callable[[str], None]) -> str:
        """Build an image from an archive, telling each line of the engine's output; give its id."""

    def output(self, image: str, command: Sequence[str]) -> str:
        """Run one command in an image, without a network, and give what it prints."""

    def close(self) -> None:
        """Close the connections."""


class DockerEngine:
    """An engine that speaks Docker's protocol, through the Docker SDK."""

    def __init__(self) -> None:
        """Connect. Raises SandboxError if no engine answers."""
        import docker

        try:
            with _engine_errors("no Docker engine"):
                self._client: DockerClient = docker.from_env(timeout=_API_S)
                self._version = str(self._client.version()["Version"])
        except SandboxError as error:
            place = os.environ.get("DOCKER_HOST", "its usual place")
            raise SandboxError(
                f"no Docker engine answers at {place}; start one, or set DOCKER_HOST"
            ) from error

    def version(self) -> str:
        """Say the engine's version."""
        return self._version

    def cores(self) -> int:
        """Count the cores of the engine's machine."""
        with _engine_errors("the engine does not say its cores"):
            return int(self._client.info()["NCPU"])

    def images(self, label: str) -> Sequence[Found]:
        """List the tagged images with a label, newest first."""
        with _engine_errors("images cannot be listed"):
            listed = self._client.api.images(filters={"label": label, "dangling": False})
        listed.sort(key=lambda image: -image["Created"])
        return [Found(image["Id"], image["Labels"] or {}, image["Size"]) for image in listed]

    def containers(self, label: str) -> Sequence[Found]:
        """List all containers with a label, whatever their state."""
        with _engine_errors("containers cannot be listed"):
            listed = self._client.api.containers(all=True, filters={"label": label})
        return [Found(container["Id"], container["Labels"] or {}) for container in listed]

    def start(self, settings: Mapping[str, Any]) -> tuple[str, Stream]:
        """Create a container, attach to its standard streams, start it; its id and the socket."""
        api = self._client.api
        with _engine_errors("a container cannot be started"):
            host = api.create_host_config(**settings["host"])
            created = api.create_container(host_config=host, **settings["container"])
            container = str(created["Id"])
            try:
                wanted = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
                attached = api.attach_socket(container, params=wanted)
                api.start(container)
            except BaseException:
                self.remove(container)
                raise
        return container, _Attached(attached)

    def remove(self, container: str) -> None:
        """End and remove a container; harmless if it is gone."""
        from docker.errors import APIError, NotFound

        with _engine_errors(f"container {container[:12]} cannot be removed"):
            try:
                self._client.api.remove_container(container, force=True, v=True)
            except NotFound:
                return
            except APIError as error:
                if error.status_code != 409:  # the engine is removing it already
                    raise

    def build(self, context: bytes, options: Mapping[str, Any], say: Callable[[str], None]) -> str:
        """Build an image from an archive, telling each line of the engine's output; give its id."""
        image = ""
        with _engine_errors("the image cannot be built"):
            events = self._client.api.build(
                fileobj=io.BytesIO(context),
                custom_context=True,
                decode=True,
                forcerm=True,
                **options,
            )
            for event in events:
                if "error" in event:
                    raise SandboxError(f"the image cannot be built: {event['error'].strip()}")
                image = event.get("aux", {}).get("ID", image)
                for line in event.get("stream", "").splitlines():
                    say(line)
        return image

    def output(self, image: str, command: Sequence[str]) -> str:
        """Run one command in an image, without a network, and give what it prints."""
        with _engine_errors(f"image {image} does not run"):
            said = self._client.containers.run(
                image, list(command), network_mode="none", remove=True
            )
        return bytes(said).decode("utf-8", "replace")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class _Attached:
    """A container's standard streams: the socket, and the SDK's objects around it."""

    def __init__(self, attached: Any) -> None:
        self._attached = attached
        # The SDK wraps local sockets in a file that only reads.
        self._socket = getattr(attached, "_sock", attached)
        self.sendall, self.recv = self._socket.sendall, self._socket.recv
        self.settimeout = self._socket.settimeout

    def close(self) -> None:
        """Close it, also under a thread that waits for it."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with suppress(OSError, ValueError):  # the layers close each other
            self._attached._response.close()
        self._socket.close()


@contextmanager
def _engine_errors(what: str) -> Iterator[None]:
    """Say in one line what went wrong between us and the engine."""
    import requests
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, requests.RequestException, OSError) as error:
        explanation = getattr(error, "explanation", None) or str(error)
        raise SandboxError(f"{what}: {str(explanation).strip()}") from error
