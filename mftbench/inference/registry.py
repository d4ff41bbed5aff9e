"""Engines by name: the built-in ones, and those that installed packages bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any

from pydantic import JsonValue

from mftbench.errors import UsageError, boundary, require
from mftbench.inference.automatic import AUTO
from mftbench.inference.engine import Engine
from mftbench.options import typed_options

ENTRY_POINT_GROUP = "mftbench.engines"

WHERE = frozenset({"python", "key_env", "concurrency", "per_minute", "timeout_s", "retries"})
"""Options, of whatever engine, that say where and how fast it runs; they stay out of keys."""

Factory = Callable[..., Engine]
"""Opens an engine, given the torch name of the type to compute in, and options by keyword."""


def find_engines() -> Mapping[str, Callable[[], Factory]]:
    """Find all engines by name, without importing any.

    An entry point in the group ``mftbench.engines`` names a factory: a dtype ("float32",
    "bfloat16") and options by keyword in, an engine out.

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


def open_engine(
    name: str, dtype: str = "float32", options: Mapping[str, JsonValue] | None = None
) -> Engine:
    """Open an engine by name; nothing is loaded before it generates.

    Raises UsageError for an unknown name or a wrong option, PluginError if an installed engine
    cannot be opened.
    """
    factory, typed = _checked(name, options or {})
    with boundary(f"engine {name!r}", "open"):
        return factory(dtype, **typed)


def check_engine(name: str, options: Mapping[str, JsonValue], where: str) -> None:
    """Raise UsageError if there is no such engine, or if it does not take these options."""
    require("engine", name, [AUTO, *find_engines()], where)
    if options and name != AUTO:  # to look at a factory is to import its engine
        _checked(name, options)


def keyed(options: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Give the options that change what is generated."""
    return {name: value for name, value in options.items() if name not in WHERE}


def _checked(name: str, options: Mapping[str, JsonValue]) -> tuple[Factory, dict[str, Any]]:
    engines = find_engines()
    require("engine", name, engines)
    with boundary(f"engine {name!r}", "import"):
        factory = engines[name]()
    return factory, typed_options(factory, options, f"engine {name!r}", given=1)


def _transformers() -> Factory:
    from mftbench.inference.transformers_engine import TransformersEngine

    return TransformersEngine


def _openai() -> Factory:
    try:
        from mftbench.inference.openai_engine import OpenAIEngine
    except ImportError as error:
        raise UsageError("engine 'openai' needs pip install 'mftbench[openai]'") from error
    return OpenAIEngine


def _vllm() -> Factory:
    from mftbench.inference.vllm.engine import VllmEngine

    return VllmEngine


def _scripted() -> Factory:
    from mftbench.inference.scripted import ScriptedEngine

    def opened(dtype: str) -> Engine:
        return ScriptedEngine()

    return opened


_BUILT_IN: Mapping[str, Callable[[], Factory]] = {
    "transformers": _transformers,
    "vllm": _vllm,
    "openai": _openai,
    "scripted": _scripted,
}
