"""Texts that models wrote, made safe to print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mftbench.contract import Execution, Outcome, Program, Report, Step, StepResult
from mftbench.leaderboard.transcript import harmless, output_text, program_text


@given(st.text())
def test_no_control_character_is_left(text):
    kept = harmless(text)
    assert not any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in kept if sign not in "\n\t")
    kept.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("a\rb", "a␍b"),
        ("\u202eevil", "⟨U+202E⟩evil"),
        ("\x9b2J", "⟨U+009B⟩2J"),
        ("\ud800", "⟨U+D800⟩"),
        ("def f():\n\treturn 'ü'", "def f():\n\treturn 'ü'"),
    ],
)
def test_what_a_terminal_would_obey_gets_a_stand_in(text, shown):
    assert harmless(text) == shown


def test_a_program_shows_every_step_with_its_texts():
    candidate = Step("candidate", "python/candidate.py", {"source": "x = 1"})
    check = Step("check", "python/check.py", {"suite": "assert x", "checks": 1}, peer=candidate)
    assert program_text(Program("python", (check,))) == (
        "== check: python/check.py\n-- suite\nassert x\n-- checks\n1\n"
        "== joined by pipes, candidate: python/candidate.py\n-- source\nx = 1"
    )


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ({"exit_code": 1}, "exit status 1"),
        ({"exit_code": None, "limit": "timeout"}, "stopped by a limit: timeout"),
        ({"exit_code": None, "signal": 9}, "ended by signal 9"),
    ],
)
def test_an_output_says_how_each_step_ended(ending, said):
    assert output_text(Execution((StepResult("check", **ending),))) == f"== check: {said}"


def test_an_output_shows_report_streams_and_what_was_dropped():
    report = Report(Outcome.FAILED, checks=2, message="line 1")
    result = StepResult("check", 0, "out", "err", dropped_bytes=7, report=report)
    text = output_text(Execution((result,)))
    assert "failed, 2 checks line 1\n-- stdout\nout\n-- stderr\nerr\n(7 bytes" in text
