"""A study: what is compared with what. One TOML file and its overrides become one frozen record."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from mftbench.canonical import plain
from mftbench.contract import JsonValue, Limits
from mftbench.errors import UsageError, unknown
from mftbench.stages import FORBID, Adapter, Balance, Optim, Parallel, Sampling
from mftbench.study_check import checked

Mode = Literal["single", "mixed", "mft"]


@dataclass(frozen=True)
class TaskSettings:
    """Where one task's data come from. ``options`` are by source name."""

    __pydantic_config__ = FORBID

    train: str = "starter"
    evaluate: tuple[str, ...] = ("starter",)
    options: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    weight: float = 1.0


@dataclass(frozen=True)
class Study:
    """Everything that a run is made from.

    ``k`` are the values of pass@k. ``unseen`` tasks are evaluated and never trained on.
    ``threads`` fixes the processor threads of a training or generation, and with them the last
    digits of its sums; 0 takes all that there are.
    """

    __pydantic_config__ = FORBID

    name: str
    models: tuple[str, ...]
    tasks: tuple[str, ...]
    notes: str = ""
    modes: tuple[Mode, ...] = ("single", "mixed", "mft")
    balancers: tuple[Balance, ...] = (Balance("task_token"),)
    seeds: tuple[int, ...] = (1,)
    baseline: bool = True
    unseen: tuple[str, ...] = ()
    format: str = "plain"
    data: Mapping[str, TaskSettings] = field(default_factory=dict)
    adapter: Adapter = field(default_factory=Adapter)
    optim: Optim = field(default_factory=Optim)
    sampling: Sampling = field(default_factory=Sampling)
    k: tuple[int, ...] = (1,)
    limits: Limits = field(default_factory=Limits)
    engine: str = "transformers"
    engine_options: Mapping[str, JsonValue] = field(default_factory=dict)
    engine_dtype: Literal["auto", "float32", "bfloat16"] = "float32"
    sandbox: str = "auto"
    threads: int = 0
    parallel: Parallel = field(default_factory=Parallel)

    def settings(self, task: str) -> TaskSettings:
        """Give a task's settings, or the defaults where the study says nothing of it."""
        return self.data.get(task, TaskSettings())

    @property
    def train_tasks(self) -> tuple[str, ...]:
        """Give the tasks that are trained on, in the study's order."""
        return tuple(task for task in self.tasks if task not in self.unseen)


def load_study(path: Path, overrides: Iterable[str] = ()) -> Study:
    """Read a study file and apply ``key.path=value`` overrides.

    Raises UsageError naming file and line for bad TOML, and key path for anything else.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(f"no study file at {path}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot read it as UTF-8 text: {error}") from error
    return parse_study(overridden(raw, overrides), str(path))


def overridden(raw: dict[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Apply ``key.path=value`` overrides to a study's plain values, in place.

    Raises UsageError for one that is not of that form.
    """
    for override in overrides:
        _override(raw, override)
    return raw


def parse_study(raw: dict[str, Any], where: str) -> Study:
    """Check a study's plain values and make the record, naming every wrong key by its path."""
    raw = dict(raw)
    balancers = raw.get("balancers", ["task_token"])
    if isinstance(balancers, list | tuple):
        raw["balancers"] = [{"name": each} if isinstance(each, str) else each for each in balancers]
    _reject_unknown_keys(Study, raw, where, "")
    from pydantic import TypeAdapter, ValidationError

    try:
        study = TypeAdapter(Study).validate_python(raw)
    except ValidationError as error:
        lines = [f"{_path(item['loc'])}: {item['msg'].lower()}" for item in error.errors()]
        raise UsageError(f"{where}: {'; '.join(lines)}") from error
    return checked(study, where)


def study_schema() -> dict[str, Any]:
    """Give the JSON schema of a study file, for editors."""
    from pydantic import TypeAdapter

    return TypeAdapter(Study).json_schema()


def study_toml(study: Study) -> str:
    """Write a study as a file that loads to an equal one."""
    import tomli_w

    return tomli_w.dumps(plain(study))


def find_study(name: str) -> Path:
    """Find a study by file, by board folder, or by the name of a built-in one."""
    path = Path(name)
    if path.is_dir():
        return path / "study.toml"
    if path.suffix == ".toml" or path.exists():
        return path
    builtin = built_in_studies()
    if name not in builtin:
        raise unknown("study", name, builtin)
    return builtin[name]


def built_in_studies() -> dict[str, Path]:
    """List the studies that ship: the package's presets, and a checkout's boards."""
    package = Path(__file__).resolve().parent
    found = {path.stem: path for path in sorted((package / "studies").glob("*.toml"))}
    boards = package.parent / "leaderboards"
    if (package.parent / "pyproject.toml").is_file() and boards.is_dir():
        found |= {path.parent.name: path for path in sorted(boards.glob("*/study.toml"))}
    return found


def select(study: Study, modes: str = "", tasks: str = "", unseen: str = "") -> Study:
    """Narrow a study by comma-separated command line values; empty ones change nothing."""
    if modes:
        study = replace(study, modes=_names("mode", modes, get_args(Mode)))  # type: ignore[arg-type]
    if tasks:
        chosen = _names("task", tasks, study.tasks)
        data = {task: study.data[task] for task in chosen if task in study.data}
        seen = tuple(task for task in study.unseen if task in chosen)
        study = replace(study, tasks=chosen, data=data, unseen=seen)
    if unseen:
        study = replace(study, unseen=_names("task", unseen, study.tasks))
    return checked(study, "command line")


def _names(kind: str, text: str, known: Iterable[str]) -> tuple[str, ...]:
    allowed = tuple(known)
    chosen = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in chosen:
        if name not in allowed:
            raise unknown(kind, name, allowed)
    return chosen


def _override(raw: dict[str, Any], override: str) -> None:
    name, equals, text = override.partition("=")
    if not equals or not name:
        raise UsageError(f"--set {override!r}: expected key.path=value")
    try:
        value: Any = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string, so that nobody has to quote twice in a shell
    *parents, last = name.split(".")
    table = raw
    for parent in parents:
        inner = table.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise UsageError(f"--set {override!r}: {parent!r} is a value, not a table")
        table = inner
    table[last] = value


def _reject_unknown_keys(record: type, raw: dict[str, Any], where: str, path: str) -> None:
    """Find unknown keys before pydantic does, to name the nearest known one."""
    hints = get_type_hints(record)
    known = {item.name for item in fields(record)}
    for name, value in raw.items():
        if name not in known:
            raise unknown("key", f"{path}{name}", (f"{path}{key}" for key in known), where)
        inner = [hint for hint in (hints[name], *get_args(hints[name])) if is_dataclass(hint)]
        if not inner:
            continue
        for place, child in _children(hints[name], value, f"{path}{name}"):
            _reject_unknown_keys(inner[0], child, where, f"{place}.")  # type: ignore[arg-type]


def _children(hint: Any, value: Any, path: str) -> list[tuple[str, dict[str, Any]]]:
    if is_dataclass(hint):
        found = [(path, value)]
    elif isinstance(value, dict):
        found = [(f"{path}.{name}", item) for name, item in value.items()]
    elif isinstance(value, list):
        found = [(f"{path}.{index}", item) for index, item in enumerate(value)]
    else:
        found = []
    return [(place, item) for place, item in found if isinstance(item, dict)]


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)
