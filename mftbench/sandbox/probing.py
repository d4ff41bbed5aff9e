"""Prove a backend by running something small in it."""

from __future__ import annotations

from collections.abc import Mapping

from mftbench.contract import Limits, Outcome, Program, Step
from mftbench.errors import SandboxError
from mftbench.sandbox.backend import Probe, Sandbox
from mftbench.sandbox.verdict import verdict_of


def probe_by_running(sandbox: Sandbox, languages: Mapping[str, str]) -> Probe:
    """Run a one-line suite between two processes; what goes wrong is the reason."""
    try:
        execution = sandbox.run(_PROGRAM, Limits())
    except (SandboxError, OSError) as error:
        return Probe(False, f"{sandbox.name} does not work here: {error}", {})
    verdict = verdict_of(execution.steps[0])
    if verdict.outcome is not Outcome.PASSED:
        said = execution.steps[0].stderr.strip().splitlines()[-1:]
        reason = " ".join([verdict.outcome.value, verdict.reason, *said])
        return Probe(False, f"{sandbox.name} does not work here: {reason}", {})
    return Probe(True, "runs a program in two processes", languages)


_PROGRAM = Program(
    "python",
    (
        Step(
            name="check",
            runner="python/check.py",
            request={"suite": "assert one() == 1", "entry_points": ["one"], "expected_checks": 1},
            peer=Step(
                name="candidate",
                runner="python/candidate.py",
                request={"source": "def one():\n    return 1\n", "entry_points": ["one"]},
            ),
        ),
    ),
)
