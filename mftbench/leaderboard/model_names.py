"""What files are called that are made per base model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import count
from pathlib import PurePath


def file_names(models: Iterable[str]) -> dict[str, str]:
    """Name each model for a file: its last part, or all of it where last parts are the same.

    Names that are the same even so are numbered, in the order of the models' own names.
    """
    known = sorted(set(models))
    last = Counter(PurePath(model).name for model in known)
    found: dict[str, str] = {}
    for model in known:
        path = PurePath(model)
        name = path.name if last[path.name] == 1 else path.as_posix().strip("/").replace("/", "-")
        numbered = (f"{name}-{number}" if number > 1 else name for number in count(1))
        found[model] = next(each for each in numbered if each not in found.values())
    return found
