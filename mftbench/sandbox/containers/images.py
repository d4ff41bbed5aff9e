"""The images that programs run in: which there are, for which languages, and how they are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mftbench.errors import UsageError, unknown
from mftbench.sandbox.containers.engine import Engine

IMAGE_LABEL = "org.mftbench.image"
VERSION_LABEL = f"{IMAGE_LABEL}.version"


@dataclass(frozen=True)
class Recipe:
    """One image: its language, and the command that says the version of it."""

    language: str
    say_version: tuple[str, ...]


_SQLITE = "import sqlite3; print(sqlite3.sqlite_version)"
RECIPES: Mapping[str, Recipe] = {
    "python": Recipe("python", ("python3", "--version")),
    "node": Recipe("javascript", ("node", "--version")),
    "java": Recipe("java", ("java", "--version")),
    "cpp": Recipe("cpp", ("g++", "-dumpfullversion")),
    "go": Recipe("go", ("go", "version")),
    "rust": Recipe("rust", ("rustc", "--version")),
    "sqlite": Recipe("sql", ("python3", "-c", _SQLITE)),
}
"""Images by the name of their folder below ``sandbox/``."""


@dataclass(frozen=True)
class Image:
    """One image that the engine has: its digest pins it."""

    name: str
    digest: str
    version: str
    size_bytes: int


def find_images(engine: Engine) -> Mapping[str, Image]:
    """Map languages to their images; of several builds the newest counts."""
    found: dict[str, Image] = {}
    for image in engine.images(IMAGE_LABEL):
        name = image.labels[IMAGE_LABEL]
        if name in RECIPES and VERSION_LABEL in image.labels:
            version = image.labels[VERSION_LABEL]
            one = Image(name, image.id, version, image.size_bytes)
            found.setdefault(RECIPES[name].language, one)
    return found


def tag_of(name: str) -> str:
    """Name an image for the engine."""
    return f"mftbench-sandbox-{name}"


def image_names(wanted: list[str] | None) -> list[str]:
    """Turn languages, or names of images, into names of images; all without any.

    Raises UsageError for an unknown one.
    """
    by_language = {recipe.language: name for name, recipe in RECIPES.items()}
    known = {**by_language, **{name: name for name in RECIPES}}
    for name in wanted or ():
        if name not in known:
            raise _unknown(name, known)
    return list(dict.fromkeys(known[name] for name in wanted)) if wanted else list(RECIPES)


def _unknown(name: str, known: Mapping[str, str]) -> UsageError:
    return unknown("language", name, known)
