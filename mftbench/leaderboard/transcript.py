"""Programs, executions and completions as text, for people to read on a terminal or a page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from mftbench.contract import Execution, JsonValue, Program, Step, StepResult

# What a terminal or a bidirectional renderer obeys; report/text.js has the same set.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def harmless(text: str) -> str:
    """Give every character that a terminal would obey, or cannot print, a visible stand-in."""
    return _OBEYED.sub(lambda found: _stand_in(ord(found[0])), text)


def _stand_in(code: int) -> str:
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"


def program_text(program: Program) -> str:
    """Write what every step was given: its runner, and each part of its request."""
    return "\n".join(line for step in program.steps for line in _step(step, "")).strip()


def output_text(execution: Execution) -> str:
    """Write what every step did: how it ended, what its report says, what it printed."""
    return "\n".join(line for result in execution.steps for line in _result(result)).strip()


def _step(step: Step, joined: str) -> Iterator[str]:
    yield f"== {joined}{step.name}: {step.runner}"
    for name, value in step.request.items():
        if value not in (None, "", [], {}):
            yield from (f"-- {name}", _value(value))
    if step.peer:
        yield from _step(step.peer, "joined by pipes, ")


def _value(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _result(result: StepResult) -> Iterator[str]:
    yield f"== {result.name}: {_ending(result)}"
    if result.report:
        checks = f", {result.report.checks} checks" if result.report.checks else ""
        yield f"{result.report.outcome}{checks} {result.report.message}".rstrip()
    for name, text in (("stdout", result.stdout), ("stderr", result.stderr)):
        if text:
            yield from (f"-- {name}", text)
    if result.dropped_bytes:
        yield f"({result.dropped_bytes} bytes of output were dropped)"


def _ending(result: StepResult) -> str:
    if result.limit:
        return f"stopped by a limit: {result.limit}"
    if result.signal is not None:
        return f"ended by signal {result.signal}"
    return f"exit status {result.exit_code}"
