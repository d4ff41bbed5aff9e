"""Engines by name: the built-in ones, and those that installed packages bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points

from mftbench.errors import UsageError, boundary, unknown
from mftbench.inference.engine import Engine

ENTRY_POINT_GROUP = "mftbench.engines"

Factory = Callable[[str], Engine]
"""Opens an engine, given the torch name of the type to compute in ("float32", "bfloat16")."""


def find_engines() -> Mapping[str, Callable[[], Factory]]:
    """Find all engines by name, without importing any.

    An entry point in the group ``mftbench.engines`` names a factory: a dtype in, an engine out.

    Raises UsageError if two engines have one name.
    """
    found: dict[str, Callable[[], Factory]] = dict(_BUILT_IN)
    origins = dict.fromkeys(found, "mftbench")
    for point in entry_points(group=ENTRY_POINT_GROUP):
        origin = f"{point.dist.name if point.dist else 'an unnamed distribution'}: {point.value}"
        if point.name in found:
            raise UsageError(
                f"two engines named {point.name!r}: {origins[point.name]} and {origin}; rename one"
            )
        found[point.name], origins[point.name] = point.load, origin
    return dict(sorted(found.items()))


def open_engine(name: str, dtype: str = "float32") -> Engine:
    """Open an engine by name; nothing is loaded before it generates.

    Raises UsageError for an unknown name, PluginError if an installed engine cannot be opened.
    """
    engines = find_engines()
    if name not in engines:
        raise unknown("engine", name, engines)
    with boundary(f"engine {name!r}", "open"):
        return engines[name]()(dtype)


def _transformers() -> Factory:
    from mftbench.inference.transformers_engine import TransformersEngine

    return TransformersEngine


def _scripted() -> Factory:
    from mftbench.inference.scripted import ScriptedEngine

    return lambda dtype: ScriptedEngine()


_BUILT_IN: Mapping[str, Callable[[], Factory]] = {
    "transformers": _transformers,
    "scripted": _scripted,
}
