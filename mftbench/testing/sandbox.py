"""The conformance check for sandboxes: what a study relies on, tried on hostile programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mftbench.contract import JsonValue, Outcome, Program, Step, Verdict
from mftbench.errors import PluginError
from mftbench.sandbox.attacks import ENTRY_POINT, HARMLESS, SUITE, Attack, attack_program
from mftbench.sandbox.attacks.programs import LIMITS
from mftbench.sandbox.backend import Sandbox
from mftbench.sandbox.verdict import verdict_of

_RIGHT = f"def {ENTRY_POINT}(x, y):\n    return x + y\n"
_WRONG = f"def {ENTRY_POINT}(x, y):\n    return x - y\n"


def check_sandbox(sandbox: Sandbox, *, attacks: Iterable[Attack] = HARMLESS) -> None:
    """Prove that a sandbox keeps the promises of ``Sandbox``; takes about half a minute.

    ``attacks``: those that it claims to hold. A backend that isolates processes claims
    ``attacks.ATTACKS``; one that does not must not be given the harmful ones.

    Raises PluginError naming the first promise that it breaks.
    """
    probe = sandbox.probe()
    if not probe.usable:
        raise PluginError(f"sandbox {sandbox.name}: cannot be used: {probe.reason}")
    for promise in _PROMISES:
        promise(sandbox)
    for attack in attacks:
        check_attack(sandbox, attack)


def check_attack(sandbox: Sandbox, attack: Attack) -> None:
    """Run one attack. Raises PluginError if its verdict is not one of those expected."""
    _expect(sandbox, attack_program(attack), attack.expected, attack.id)


def suite_program(source: str, suite: str = SUITE, *, in_process: bool = False) -> Program:
    """Make the program that runs a source under a suite, in two processes or in one."""
    names: list[JsonValue] = [ENTRY_POINT]
    if in_process:
        one: dict[str, JsonValue] = {"source": source, "suite": suite, "entry_points": names}
        return Program("python", (Step("check", "python/inprocess.py", one, in_process=True),))
    peer = Step("candidate", "python/candidate.py", {"source": source, "entry_points": names})
    own: dict[str, JsonValue] = {"suite": suite, "entry_points": names, "expected_checks": None}
    return Program("python", (Step("check", "python/check.py", own, peer=peer),))


# ---------------------------------------------------------------- promises


def _counts_checks(sandbox: Sandbox) -> None:
    report = sandbox.run(suite_program(_RIGHT), LIMITS).steps[0].report
    if report is None or report.outcome is not Outcome.PASSED or report.checks != 4:
        _broken(sandbox, f"a right program's report is {report}")


def _needs_checks(sandbox: Sandbox) -> None:
    program = suite_program(_RIGHT, "add(1, 2)\n")
    _expect(sandbox, program, {Outcome.NO_TESTS}, "a suite without checks")


def _labels_one_process(sandbox: Sandbox) -> None:
    program = suite_program(_RIGHT, in_process=True)
    verdict = _expect(sandbox, program, {Outcome.PASSED}, "a right program in one process")
    if not verdict.in_process:
        _broken(sandbox, "a score from one process is not labelled")


def _stops_at_required_steps(sandbox: Sandbox) -> None:
    failing, passing = suite_program(_WRONG).steps[0], suite_program(_RIGHT).steps[0]
    execution = sandbox.run(Program("python", (failing, passing)), LIMITS)
    if len(execution.steps) != 1:
        _broken(sandbox, "a program went on after a required step that failed")
    optional = Step("wrong", failing.runner, failing.request, failing.peer, required=False)
    execution = sandbox.run(Program("python", (optional, passing)), LIMITS)
    if [step.name for step in execution.steps] != ["wrong", "check"]:
        _broken(sandbox, "a program ended at a step that was not required")


def _starts_clean(sandbox: Sandbox) -> None:
    source = "def add(x, y):\n    open('left-behind', 'x').close()\n    return x + y\n"
    program = suite_program(source, "assert add(1, 2) == 3\n")
    for _ in range(2):
        _expect(sandbox, program, {Outcome.PASSED}, "a program that leaves a file")


_PROMISES: tuple[Callable[[Sandbox], None], ...] = (
    _counts_checks,
    _needs_checks,
    _labels_one_process,
    _stops_at_required_steps,
    _starts_clean,
)


def _expect(
    sandbox: Sandbox, program: Program | Verdict, expected: Iterable[Outcome], what: str
) -> Verdict:
    if isinstance(program, Verdict):
        verdict = program
    else:
        verdict = verdict_of(sandbox.run(program, LIMITS).steps[-1])
    if verdict.outcome not in expected:
        wanted = " or ".join(sorted(expected))
        _broken(sandbox, f"{what} gave {verdict.outcome} ({verdict.reason}), not {wanted}")
    return verdict


def _broken(sandbox: Sandbox, what: str) -> None:
    raise PluginError(f"sandbox {sandbox.name}: {what}")
