"""Start a new task plugin from the template that ships with the built-in ones."""

from __future__ import annotations

import keyword
from pathlib import Path

from mftbench.errors import StoreError, UsageError
from mftbench.plugins import find_tasks

__all__ = ["new_task"]

TEMPLATE = "_template"
PLACEHOLDER = "my_task"


def new_task(name: str, folder: Path) -> Path:
    """Copy the template to ``folder/name`` and name the task in it; return the new folder.

    Raises UsageError for a name that cannot be used or is taken.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise UsageError(f"task name {name!r} is not a Python name without leading underscore")
    taken = find_tasks([folder] if folder.is_dir() else [])
    if name in taken:
        raise UsageError(f"there is a task {name!r} already: {taken[name].origin}")
    path = folder / name
    try:
        path.mkdir(parents=True)
        for template in sorted(_template().iterdir()):
            if template.is_file():
                text = template.read_text(encoding="utf-8").replace(PLACEHOLDER, name)
                (path / template.name).write_text(text, encoding="utf-8")
    except FileExistsError:
        raise UsageError(f"{str(path)!r} exists already; choose another name or --dir") from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error}") from error
    return path


def _template() -> Path:
    import mftbench.tasks

    folders = (Path(folder) / TEMPLATE for folder in mftbench.tasks.__path__)
    return next(folder for folder in folders if folder.is_dir())
