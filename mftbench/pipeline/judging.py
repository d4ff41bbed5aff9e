"""Judge one execution: a verdict, or the error that says why there is none."""

from __future__ import annotations

from mftbench.contract import Execution, Problem, Task, Verdict
from mftbench.errors import SandboxError, boundary

__all__ = ["judged"]


def judged(task: Task, problem: Problem, execution: Execution) -> Verdict | SandboxError:
    """Give the verdict, or the judge's SandboxError: what failed is not the answer's.

    Raises PluginError if the judge raised anything else.
    """
    try:
        with boundary(f"task {task.name}", "judge", problem.id):
            return task.judge(problem, execution)
    except SandboxError as error:
        return error
