"""Find task plugins by name: built-in folders, installed entry points, and folders given by option.

Listing reads names only. A plugin is imported when it is loaded, and what goes wrong then names it.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from mftbench.contract import Source, Task
from mftbench.errors import PluginError, UsageError, boundary, unknown

__all__ = [
    "ENTRY_POINT_GROUP",
    "TaskPlugin",
    "asked_by",
    "find_tasks",
    "load_task",
    "open_source",
]

ENTRY_POINT_GROUP = "mftbench.tasks"


@dataclass(frozen=True)
class TaskPlugin:
    """A task by name, not yet imported. ``origin`` is where it was found, for messages."""

    name: str
    origin: str
    load_value: Callable[[], object]
    folder: Callable[[], Path]

    def __call__(self) -> Task:
        """Import the plugin and return its task.

        Raises PluginError if the import raises, or if what it holds is no task of this name.
        """
        place = f"task {self.name!r} ({self.origin})"
        with boundary(place, "import"):
            try:
                task = self.load_value()
            except SystemExit as error:
                raise PluginError(f"{place}: import() raised SystemExit: {error}") from error
        if not isinstance(task, Task):
            raise PluginError(f"{place}: TASK is {_kind(task)}, not a Task")
        if task.name != self.name:
            raise PluginError(f"{place}: calls itself {task.name!r}; use one name")
        return task


def find_tasks(tasks_dirs: Sequence[Path] = ()) -> Mapping[str, TaskPlugin]:
    """Find all task plugins, by name and without importing any of them.

    Raises UsageError if two plugins have one name, or if one of ``tasks_dirs`` is not a folder.
    """
    found: dict[str, TaskPlugin] = {}
    for plugin in (*_built_in(), *_installed(), *_in_folders(tasks_dirs)):
        other = found.setdefault(plugin.name, plugin)
        if other.origin != plugin.origin:
            raise UsageError(
                f"two tasks named {plugin.name!r}: {other.origin} and {plugin.origin}; rename one"
            )
    return dict(sorted(found.items()))


def load_task(name: str, tasks_dirs: Sequence[Path] = ()) -> Task:
    """Load one task by name.

    Raises UsageError for an unknown name, PluginError if the plugin is broken.
    """
    plugins = find_tasks(tasks_dirs)
    if name not in plugins:
        raise unknown("task", name, plugins)
    return plugins[name]()


def open_source(task: Task, name: str, options: Mapping[str, JsonValue] | None = None) -> Source:
    """Open one source of a task with options that were checked against its factory's signature.

    Raises UsageError for an unknown source or option, a wrong value, or data that cannot be had.
    """
    if name not in task.sources:
        raise unknown("source", name, task.sources, f"task {task.name!r}")
    factory = task.sources[name]
    place = f"source {name!r} of task {task.name!r}"
    typed = _typed_options(factory, options or {}, place)
    with boundary(f"task {task.name!r}", f"source {name}"):
        source = factory(**typed)
    if not isinstance(source, Source):
        raise PluginError(f"{place}: its factory returned a value {_kind(source)}, not a Source")
    return source


def asked_by(source: Source, task: Task) -> Task:
    """Give the task as this source of it asks and scores: its own prompt and metrics, if any."""
    return replace(
        task, prompt=source.prompt or task.prompt, metrics=source.metrics or task.metrics
    )


def _built_in() -> Iterator[TaskPlugin]:
    import mftbench.tasks

    for folder in map(Path, mftbench.tasks.__path__):
        yield from _scan(folder)


def _installed() -> Iterator[TaskPlugin]:
    for point in entry_points(group=ENTRY_POINT_GROUP):
        distribution = point.dist.name if point.dist else "an unnamed distribution"
        origin = f"entry point of {distribution}: {point.value}"
        yield TaskPlugin(point.name, origin, point.load, partial(_module_folder, point.module))


def _in_folders(tasks_dirs: Sequence[Path]) -> Iterator[TaskPlugin]:
    for folder in tasks_dirs:
        if not folder.is_dir():
            raise UsageError(f"tasks folder {str(folder)!r} is not a folder")
        yield from _scan(folder)


def _scan(folder: Path) -> Iterator[TaskPlugin]:
    for init in sorted(folder.resolve().glob("*/__init__.py")):
        name = init.parent.name
        if name.startswith("_"):
            continue
        if not name.isidentifier():
            raise UsageError(
                f"task folder {str(init.parent)!r} is not a Python name; use letters, digits and _"
            )
        yield TaskPlugin(
            name, str(init.parent), partial(_load_folder, init), partial(_parent, init)
        )


def _load_folder(init: Path) -> object:
    return _task_in(_import(init))


def _parent(init: Path) -> Path:
    return init.parent


def _module_folder(module: str) -> Path:
    return Path(importlib.import_module(module).__file__ or "").parent


def _import(init: Path) -> ModuleType:
    """Import a plugin folder as ``mftbench.tasks.<folder>``, wherever it lies.

    One name for all, so relative imports and package data work alike for built-in and other
    plugins, and no top-level module is shadowed by a folder that happens to be named like it.
    """
    name = f"mftbench.tasks.{init.parent.name}"
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__file__ == str(init):
        return loaded
    _forget(name)
    spec = importlib.util.spec_from_file_location(
        name, init, submodule_search_locations=[str(init.parent)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{init} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        _forget(name)
        raise
    return module


def _forget(name: str) -> None:
    for loaded in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
        del sys.modules[loaded]


def _task_in(module: ModuleType) -> object:
    if not hasattr(module, "TASK"):
        raise PluginError(f"{module.__file__} has no TASK; a plugin's __init__.py must set one")
    return module.TASK


def _typed_options(
    factory: Callable[..., Source], options: Mapping[str, JsonValue], place: str
) -> dict[str, object]:
    parameters = {
        parameter.name: parameter
        for parameter in inspect.signature(factory, eval_str=True).parameters.values()
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    }
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in options:
            raise UsageError(f"{place} needs the option {name!r}")
    typed = {}
    for name, value in options.items():
        if name not in parameters:
            raise unknown("option", name, parameters, place)
        hint = parameters[name].annotation
        typed[name] = _typed(value, hint, f"option {name!r} of {place}")
    return typed


def _typed(value: JsonValue, hint: Any, place: str) -> object:
    if hint is inspect.Parameter.empty:
        return value
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].lower()
        raise UsageError(f"{place} is {value!r}: {reason}") from None


def _kind(value: object) -> str:
    return f"of type {type(value).__name__}"
