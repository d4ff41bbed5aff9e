"""Build the images that programs run in, from the Dockerfiles below ``sandbox/``."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mftbench.errors import SandboxError
from mftbench.sandbox.containers.engine import Engine
from mftbench.sandbox.containers.images import (
    IMAGE_LABEL,
    RECIPES,
    VERSION_LABEL,
    Image,
    find_images,
    tag_of,
)
from mftbench.sandbox.runners import runner_files, runners_folder

DEFAULT_BASE = "debian:bookworm-slim"


@dataclass(frozen=True)
class Built:
    """One image that was built, and how long it took."""

    image: Image
    seconds: float


def build_image(engine: Engine, name: str, base: str, say: Callable[[str], None]) -> Built:
    """Build one image, telling each line of the engine's output. Raises SandboxError.

    Built twice, the second time from the cache: the language's version becomes a label, and the
    image can be asked for it only when it is there.
    """
    begin = time.monotonic()
    context, labels = build_context(name), {IMAGE_LABEL: name}
    made = engine.build(context, _options(base, labels), say)
    labels[VERSION_LABEL] = _version(engine.output(made, RECIPES[name].say_version))
    engine.build(context, {**_options(base, labels), "tag": tag_of(name)}, say)
    built = find_images(engine).get(RECIPES[name].language)
    if built is None:
        raise SandboxError(f"image {name} was built, but the engine does not list it")
    return Built(built, time.monotonic() - begin)


def _options(base: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "buildargs": {"BASE": base},
        "labels": dict(labels),
        "network_mode": "host",  # a bridge needs packet filters, which small machines may lack
    }


def _version(said: str) -> str:
    """Find the version in what a compiler says of itself: the first word with a digit."""
    words = said.split("\n", 1)[0].split()
    numbered = [word for word in words if any(map(str.isdigit, word))]
    return numbered[0].removeprefix("go").removeprefix("v") if numbered else ""


def build_context(name: str) -> bytes:
    """Pack an image's Dockerfile and what it may copy; the same bytes for the same texts."""
    folder = runners_folder()
    dockerfile = folder / name / "Dockerfile"
    if not dockerfile.is_file():
        raise SandboxError(f"no {dockerfile}; install mftbench again")
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        _add(archive, "Dockerfile", dockerfile)
        for path in _copied(name):
            _add(archive, path.as_posix(), folder / path)
    return body.getvalue()


def _copied(name: str) -> Sequence[Path]:
    return [path for path in runner_files() if path.parts[0] in (name, "python")]


def _add(archive: tarfile.TarFile, name: str, source: Path) -> None:
    content = source.read_bytes()
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    archive.addfile(member, io.BytesIO(content))
