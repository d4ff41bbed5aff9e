"""Conformance checks for plugins, ours and others': each says claim by claim what holds.

Every name is imported when it is first used, so that checking a task needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mftbench.testing.balancer import check_balancer
    from mftbench.testing.engine import check_engine
    from mftbench.testing.launcher import check_launcher
    from mftbench.testing.objects import check_objects
    from mftbench.testing.plugin import check_plugin
    from mftbench.testing.sandbox import check_sandbox
    from mftbench.testing.task import Finding, TaskReport, check_task

__all__ = [
    "Finding",
    "TaskReport",
    "check_balancer",
    "check_engine",
    "check_launcher",
    "check_objects",
    "check_plugin",
    "check_sandbox",
    "check_task",
]

_MODULES = {
    "Finding": "task",
    "TaskReport": "task",
    "check_balancer": "balancer",
    "check_engine": "engine",
    "check_launcher": "launcher",
    "check_objects": "objects",
    "check_plugin": "plugin",
    "check_sandbox": "sandbox",
    "check_task": "task",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
