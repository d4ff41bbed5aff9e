"""Run every attack in a sandbox and compare verdicts, and the machine, with what must come out."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mftbench.contract import Limits, Program, Step, Verdict
from mftbench.errors import SandboxError
from mftbench.sandbox.attacks import (
    EVERY_ATTACK,
    HARMFUL,
    LANGUAGE_OF,
    Attack,
    attack_program,
)
from mftbench.sandbox.backend import Sandbox
from mftbench.sandbox.folders import remove_left_over_folders
from mftbench.sandbox.hoststate import HostState, bait, look, settled
from mftbench.sandbox.pool import Job, run_all
from mftbench.sandbox.verdict import verdict_of

__all__ = ["Line", "Result", "attack_lines", "self_test"]

_ESCAPING_RUNNERS = ("/bin/sh", "../../bin/sh", "python/../../check.py")
_INTO_THE_RUN_S = 1.0
_SHOWN = 200
_RETRIES = 2


class Result(StrEnum):
    """What one line of the self-test says."""

    HELD = "held"
    ESCAPED = "ESCAPED"
    KNOWN = "known"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Line:
    """One attack: what it got, what it must get, and what that means."""

    id: str
    result: Result
    given: str
    expected: str
    seconds: float = 0.0


def self_test(
    open_sandbox: Callable[[], Sandbox], attacks: Sequence[Attack] = EVERY_ATTACK
) -> Iterator[Line]:
    """Yield one line per attack, then lines on killed hosts and on the machine's state.

    A backend says by ``isolates = False`` that the harmful attacks must not be run in it, and by
    ``unheld`` which attacks it is known not to hold, and why.
    """
    remove_left_over_folders()  # as every sandbox does that opens: else they would go missing
    before = look()
    with bait():
        planted = look()
        sandbox = open_sandbox()
        try:
            yield from attack_lines(sandbox, attacks)
            yield _escaping_runners(sandbox)
            name = sandbox.name
        finally:
            sandbox.close()
        yield from _state("host", planted)
        yield _killed_host(name, planted)
    yield from _state("end", before)


def attack_lines(sandbox: Sandbox, attacks: Iterable[Attack]) -> Iterator[Line]:
    """Yield one line per attack, in order, one at a time."""
    languages = sandbox.probe().languages
    unheld: Mapping[str, str] = getattr(sandbox, "unheld", {})
    isolates: bool = getattr(sandbox, "isolates", True)
    for attack in attacks:
        expected = " or ".join(sorted(attack.expected))
        language = LANGUAGE_OF[attack.kind]
        if language not in languages:
            yield Line(attack.id, Result.SKIPPED, f"no {language} here", expected)
        elif attack.id in HARMFUL and not isolates:
            yield Line(attack.id, Result.KNOWN, "not run: it would harm this machine", expected)
        else:
            line = _run(sandbox, attack, expected)
            if line.result is Result.ESCAPED and attack.id in unheld:
                line = Line(attack.id, Result.KNOWN, f"{line.given}: {unheld[attack.id]}", expected)
            yield line


def _run(sandbox: Sandbox, attack: Attack, expected: str) -> Line:
    begin = time.monotonic()
    program = attack_program(attack)
    try:
        verdict, printed = _verdict(sandbox, program)
    except SandboxError as error:
        return Line(attack.id, Result.ESCAPED, f"sandbox error: {error}", expected)
    result = Result.HELD if verdict.outcome in attack.expected else Result.ESCAPED
    given = str(verdict.outcome)
    if result is Result.ESCAPED:
        given = f"{given}: {verdict.reason} {printed[-_SHOWN:]}".strip()
    return Line(attack.id, result, given, expected, time.monotonic() - begin)


def _verdict(sandbox: Sandbox, program: Program | Verdict) -> tuple[Verdict, str]:
    """Give the verdict and what was printed, which says how something escaped.

    A sandbox that fails is tried again, as in a run. Raises SandboxError if it keeps failing.
    """
    if isinstance(program, Verdict):
        return program, ""
    [(_, done)] = run_all(sandbox, [Job("attack", program)], Limits(), 1, _RETRIES)
    if isinstance(done, SandboxError):
        raise done
    return verdict_of(done.steps[-1]), done.steps[-1].stdout.strip()


def _escaping_runners(sandbox: Sandbox) -> Line:
    """I7: a program whose runner is a path out of the folder is refused before anything runs."""
    for runner in _ESCAPING_RUNNERS:
        try:
            sandbox.run(Program("python", (Step("check", runner),)), Limits(wall_s=2.0))
        except SandboxError:
            continue
        return Line("I7-escaping-paths", Result.ESCAPED, f"{runner} was run", "refused")
    return Line("I7-escaping-paths", Result.HELD, "refused", "refused")


_VICTIM = """
import sys
from mftbench.contract import Limits
from mftbench.sandbox.attacks import PROMPT
from mftbench.sandbox.select import open_sandbox
from mftbench.testing.sandbox import suite_program

sandbox = open_sandbox(sys.argv[1])
print("ready", flush=True)
sandbox.run(suite_program(PROMPT + "    while True: pass\\n"), Limits(wall_s=60, cpu_s=60))
"""


def _killed_host(name: str, before: HostState) -> Line:
    """P9: what a run leaves when it is killed is gone, at the latest once the next has started."""
    from mftbench.sandbox.select import open_sandbox

    victim = subprocess.Popen([sys.executable, "-c", _VICTIM, name], stdout=subprocess.PIPE)
    try:
        assert victim.stdout is not None
        victim.stdout.readline()
        time.sleep(_INTO_THE_RUN_S)
    finally:
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
    open_sandbox(name).close()
    left = _left(settled(before))
    result = Result.ESCAPED if left else Result.HELD
    return Line("P9-killed-host", result, left or "nothing left", "nothing left")


def _state(when: str, before: HostState) -> Iterator[Line]:
    for name, changes in settled(before).items():
        result = Result.ESCAPED if changes else Result.HELD
        given = _left({name: changes}) or "unchanged"
        yield Line(f"{when}-{name}", result, given, "unchanged")


def _left(changes: Mapping[str, Sequence[str]]) -> str:
    named = {name: items for name, items in changes.items() if items}
    return "; ".join(f"{name}: {', '.join(items[:3])}" for name, items in named.items())
