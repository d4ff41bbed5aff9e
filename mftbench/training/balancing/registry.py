"""Find balancers by name: the built-in ones and installed entry points. Names cost no import."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mftbench.canonical import digest
from mftbench.errors import PluginError, UsageError, boundary, unknown
from mftbench.options import typed_options
from mftbench.stages import Balance

if TYPE_CHECKING:
    from mftbench.training.balancing.balancer import BalancedTask, Balancer

ENTRY_POINT_GROUP = "mftbench.balancers"

_METHODS = "mftbench.training.balancing.methods"


def built_in_balancers() -> dict[str, str]:
    """Give the built-in methods by name, from the files in ``methods/``."""
    files = sorted((Path(__file__).parent / "methods").glob("[!_]*.py"))
    return {file.stem: f"{_METHODS}.{file.stem}:BALANCER" for file in files}


def find_balancers() -> Mapping[str, EntryPoint]:
    """Find all balancers by name, without importing any of them.

    Raises UsageError if two have one name.
    """
    found: dict[str, EntryPoint] = {}
    builtin = (
        EntryPoint(name, value, ENTRY_POINT_GROUP) for name, value in built_in_balancers().items()
    )
    for point in (*builtin, *entry_points(group=ENTRY_POINT_GROUP)):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            raise UsageError(
                f"two balancers named {point.name!r}: {_origin(other)} and {_origin(point)}; "
                "uninstall one"
            )
    return dict(sorted(found.items()))


def purpose(name: str) -> str:
    """Say in a line what a built-in method does, from its file and without importing it."""
    source = (Path(__file__).parent / "methods" / f"{name}.py").read_text(encoding="utf-8")
    line = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    return line.partition(": ")[2] or line


def load_balancer(name: str) -> type[Balancer]:
    """Import one balancer's class by name.

    Raises UsageError for an unknown name, PluginError for one that is broken or no Balancer.
    """
    from mftbench.training.balancing.balancer import Balancer

    points = find_balancers()
    if name not in points:
        raise unknown("balancer", name, points)
    with boundary(f"balancer {name!r} ({_origin(points[name])})", "import"):
        loaded = points[name].load()
    if not (isinstance(loaded, type) and issubclass(loaded, Balancer)):
        raise PluginError(f"balancer {name!r} ({_origin(points[name])}) is no Balancer class")
    return loaded


def code_of(name: str) -> str | None:
    """Digest an installed balancer's version and module, which is not imported; None if built in.

    Of other modules that it uses nothing is seen: what they change, its package's version tells.
    Raises UsageError for an unknown name, PluginError where the module is not found.
    """
    points = find_balancers()
    if name not in points:
        raise unknown("balancer", name, points)
    if name in built_in_balancers():
        return None
    point = points[name]
    with boundary(f"balancer {name!r} ({_origin(point)})", "import"):
        found = find_spec(point.module)
        if found is None or not found.origin:
            raise PluginError(f"balancer {name!r} ({_origin(point)}): no module {point.module!r}")
        code = Path(found.origin).read_bytes()
    version = point.dist.version if point.dist else ""
    return digest([version, point.value, hashlib.sha256(code).hexdigest()], length=12)


def make_balancer(balance: Balance, tasks: Sequence[BalancedTask]) -> Balancer:
    """Make the balancer that a study names, with options checked against its constructor.

    Raises UsageError for an unknown name or a wrong option.
    """
    made = load_balancer(balance.name)
    options = typed_options(made, balance.options, f"balancer {balance.name!r}", given=1)
    with boundary(f"balancer {balance.name!r}", "__init__"):
        return made(tasks, **options)


def _origin(point: EntryPoint) -> str:
    package = point.dist.name if point.dist else "mftbench"
    return f"{point.value} of {package}"
