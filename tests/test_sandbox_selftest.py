"""The self-test: it notices what escapes and skips what cannot run; the page tells its result."""

import json
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mftbench.sandbox.attacks import EVERY_ATTACK, HARMFUL
from mftbench.sandbox.bubblewrap import Bubblewrap
from mftbench.sandbox.hoststate import bait, look, settled
from mftbench.sandbox.scripted import Scripted
from mftbench.sandbox.select import open_sandbox
from mftbench.sandbox.selftest import Result, attack_lines, self_test

PAGE = Path(__file__).parents[1] / "docs" / "concepts" / "sandbox.md"


def by_id(*ids):
    return [attack for attack in EVERY_ATTACK if attack.id in ids]


def test_a_backend_that_passes_everything_is_caught():
    [line] = attack_lines(Scripted(), by_id("V1-exit-at-import"))
    assert (line.result, line.expected) == (Result.ESCAPED, "early_exit")


def test_what_a_backend_says_that_it_does_not_hold_is_known():
    sandbox = Scripted()
    sandbox.unheld = {"V1-exit-at-import": "it holds nothing"}
    [line] = attack_lines(sandbox, by_id("V1-exit-at-import"))
    assert line.result is Result.KNOWN
    assert "it holds nothing" in line.given


def test_harmful_attacks_are_not_run_without_isolation():
    sandbox = Scripted()
    sandbox.isolates = False
    lines = list(attack_lines(sandbox, by_id(*HARMFUL)))
    assert {line.result for line in lines} == {Result.KNOWN}
    assert sandbox.programs == []


def test_a_language_that_is_not_there_is_skipped():
    [line] = attack_lines(Scripted(), by_id("right-rust"))
    assert (line.result, line.given) == (Result.SKIPPED, "no rust here")


def test_a_planted_file_that_changes_is_noticed(tmp_path, monkeypatch):
    from mftbench.sandbox import hoststate

    monkeypatch.setattr(hoststate, "_bait_folders", lambda: [tmp_path])
    monkeypatch.setattr(hoststate, "_SETTLE_S", 0.0)
    with bait():
        before = look()
        next(tmp_path.iterdir()).write_text("changed")
        assert settled(before)["files"]
    assert list(tmp_path.iterdir()) == []


def selftest(sandbox, *arguments):
    """Run the command in a process of its own: what this one leaves or collects is not its."""
    main = [sys.executable, "-c", "from mftbench.cli import main; main()"]
    command = [*main, "sandbox", "selftest", "--sandbox", sandbox, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.needs_bubblewrap
def test_the_command_says_a_line_per_attack_and_looks_at_the_machine():
    result = selftest("bubblewrap", "--only", "V1-", "--only", "I2", "--json")
    assert result.returncode == 0, result.stdout
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert {line["result"] for line in lines} == {"held"}
    ids = {line["id"] for line in lines}
    assert {"V1-exit-at-import", "I7-escaping-paths", "P9-killed-host", "end-processes"} <= ids


@pytest.mark.needs_bubblewrap
def test_what_a_killed_process_left_before_is_not_laid_to_the_sandbox():
    left = Path(tempfile.mkdtemp(prefix=f"mftbench-{platform.node()}-4194305-1-"))
    lines = list(self_test(lambda: open_sandbox("bubblewrap"), []))
    assert not left.exists()
    assert {line.result for line in lines} == {Result.HELD}


@pytest.mark.slow
@pytest.mark.needs_bubblewrap
def test_bubblewrap_holds_all_but_what_it_names():
    result = selftest("bubblewrap")
    assert result.returncode == 0, result.stdout
    known = [line for line in result.stdout.splitlines() if line.startswith("known ")]
    assert len(known) <= len(Bubblewrap.unheld)


@pytest.mark.slow
@pytest.mark.needs_docker
def test_docker_holds_all():
    result = selftest("docker")
    assert result.returncode == 0, result.stdout
    assert ", 0 escaped, 0 known, 0 skipped" in result.stderr


def test_the_page_tells_every_group_of_attacks():
    page = PAGE.read_text()
    table = page[page.index("<!-- selftest -->") : page.index("<!-- /selftest -->")]
    groups = {match[0] for attack in EVERY_ATTACK if (match := re.match(r"[VRPIE]\d+", attack.id))}
    assert groups | {"I7", "P9"} == set(re.findall(r"^\| ([VRPIE]\d+)", table, re.M))
    assert "ESCAPED" not in table
