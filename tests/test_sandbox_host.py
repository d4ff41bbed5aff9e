"""The host's side: output capture, proof, verdicts, choice of a backend, the pool."""

import subprocess
import sys
import threading
import time
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mftbench.contract import Execution, Limits, Outcome, Program, Report, Step, StepResult
from mftbench.errors import SandboxError, UsageError
from mftbench.sandbox import select, watch
from mftbench.sandbox.backend import Probe
from mftbench.sandbox.calibration import Gold, GoldTimes
from mftbench.sandbox.capture import Capture
from mftbench.sandbox.pool import Job, Running, Watching, run_all
from mftbench.sandbox.proof import read_report
from mftbench.sandbox.runners import runner_files, runners_digest
from mftbench.sandbox.runtimes import MissingLanguageError, command
from mftbench.sandbox.scripted import Scripted
from mftbench.sandbox.verdict import verdict_of

PROGRAM = Program("python", (Step("check", "python/check.py"),))
LIMITS = Limits()

# ---------------------------------------------------------------- capture


@given(st.lists(st.text(st.characters(max_codepoint=127), max_size=40).map(str.encode)))
def test_capture_keeps_head_and_tail_and_counts_the_rest(chunks):
    capture, whole = Capture(keep=16), b"".join(chunks)
    for chunk in chunks:
        capture.feed(chunk)
    assert capture.total == len(whole)
    assert capture.dropped == max(0, len(whole) - 32)
    gap = f"\n[{capture.dropped} bytes dropped]\n".encode() if capture.dropped else b""
    tail = whole[16:][-16:]
    assert capture.text() == (whole[:16] + gap + tail).decode()


# ---------------------------------------------------------------- proof and verdict


def test_a_report_with_the_nonce_counts():
    body = b'{"nonce": "n", "report": {"outcome": "passed", "checks": 2}}'
    assert read_report(body, "n") == Report(Outcome.PASSED, checks=2)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"passed",
        b"{}",
        b"[]",
        b'{"nonce": "other", "report": {"outcome": "passed"}}',
        b'{"nonce": 7, "report": {"outcome": "passed"}}',
        b'{"nonce": "n", "report": {"outcome": "won"}}',
        b'{"nonce": "n", "report": {}}',
        b'{"nonce": "n", "report": {"outcome": "passed"}}' * 2,
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_anything_else_is_no_report(body):
    assert read_report(body, "n") is None


def test_a_proved_fault_is_the_sandbox_s():
    with pytest.raises(SandboxError, match="no such table"):
        read_report(b'{"nonce": "n", "fault": "no such table"}', "n")
    assert read_report(b'{"nonce": "m", "fault": "no such table"}', "n") is None


PASSED = Report(Outcome.PASSED, checks=1)


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (StepResult("s", 0, report=PASSED), Outcome.PASSED),
        (StepResult("s", 0), Outcome.EARLY_EXIT),
        (StepResult("s", 1), Outcome.EARLY_EXIT),
        (StepResult("s", 1, report=PASSED), Outcome.EARLY_EXIT),
        (StepResult("s", None, signal=11), Outcome.ERROR),
        (StepResult("s", None, limit="timeout", report=PASSED), Outcome.TIMEOUT),
        (StepResult("s", None, limit="out_of_memory"), Outcome.OUT_OF_MEMORY),
        (StepResult("s", None, limit="output_limit"), Outcome.OUTPUT_LIMIT),
        (StepResult("s", 0, report=Report(Outcome.FAILED)), Outcome.FAILED),
    ],
)
def test_a_pass_needs_proof_and_exit_status_zero(result, outcome):
    assert verdict_of(result).outcome is outcome


def test_the_verdict_says_when_the_checker_was_in_the_process():
    assert verdict_of(StepResult("s", 0, report=PASSED, in_process=True)).in_process


# ---------------------------------------------------------------- runners and commands


def test_the_digest_covers_every_runner():
    names = {path.as_posix() for path in runner_files()}
    assert {"python/check.py", "python/wire.py", "node/check.js", "sqlite/query.py"} <= names
    assert len(runners_digest()) == 64


@pytest.mark.parametrize("runner", ["/bin/sh", "../../bin/sh", "python/../../x.py"])
def test_a_runner_outside_the_folder_is_refused(runner, tmp_path):
    with pytest.raises(SandboxError, match="not a path below"):
        command(runner, tmp_path, LIMITS)


def test_an_unknown_kind_of_runner_is_a_missing_language(tmp_path):
    with pytest.raises(MissingLanguageError):
        command("cobol/check.cob", tmp_path, LIMITS)


# ---------------------------------------------------------------- choice


class Unusable(Scripted):
    def probe(self):
        return Probe(False, "there is no such thing", {})


def test_auto_never_chooses_an_unconfined_backend(monkeypatch):
    monkeypatch.setattr(select, "_AUTO", (Unusable,))
    with pytest.raises(UsageError, match="there is no such thing"):
        select.open_sandbox("auto")


def test_auto_chooses_the_first_that_works(monkeypatch):
    monkeypatch.setattr(select, "_AUTO", (Unusable, Scripted))
    assert type(select.open_sandbox()) is Scripted


def test_an_unknown_backend_is_named_with_a_suggestion():
    with pytest.raises(UsageError, match="did you mean 'bubblewrap'"):
        select.open_sandbox("bubblewarp")


def test_the_unconfined_backend_says_so_once(monkeypatch):
    monkeypatch.setattr(select, "_warned", False)
    with pytest.warns(select.UnconfinedWarning, match="accidents, not malice"):
        select.open_sandbox("process").close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        select.open_sandbox("process").close()


def test_a_missing_language_is_no_verdict():
    sandbox = select.BACKENDS["process"]()
    with pytest.raises(MissingLanguageError, match="no cobol"):
        sandbox.run(Program("cobol", ()), LIMITS)
    sandbox.close()


def test_a_closed_backend_fails_and_runs_nothing():
    sandbox = select.BACKENDS["process"]()
    sandbox.close()
    with pytest.raises(SandboxError, match="closed"):
        sandbox.run(PROGRAM, LIMITS)


# ---------------------------------------------------------------- pool


def jobs(count):
    return [Job(str(number), PROGRAM) for number in range(count)]


def test_the_pool_gives_every_job_once():
    found = dict(run_all(Scripted(), jobs(20), LIMITS, workers=4))
    assert sorted(found, key=int) == [str(number) for number in range(20)]
    assert all(isinstance(value, Execution) for value in found.values())


def test_a_failing_sandbox_is_tried_again():
    done = Execution(())
    sandbox = Scripted([SandboxError("once"), SandboxError("twice"), done])
    assert list(run_all(sandbox, jobs(1), LIMITS, workers=1)) == [("0", done)]


def test_a_sandbox_that_keeps_failing_is_reported_and_the_rest_goes_on():
    def answer(program):
        return SandboxError("broken") if program.language == "sql" else Execution(())

    broken = Job("broken", Program("sql", ()))
    found = dict(run_all(Scripted(answer), [broken, *jobs(3)], LIMITS, workers=2, retries=1))
    assert str(found.pop("broken")) == "broken"
    assert all(isinstance(value, Execution) for value in found.values())


def test_a_missing_language_is_not_tried_again():
    sandbox = Scripted([MissingLanguageError("no cobol")])
    [(_, error)] = run_all(sandbox, jobs(1), LIMITS, workers=1)
    assert isinstance(error, MissingLanguageError)
    assert len(sandbox.programs) == 1


def test_the_oldest_running_job_can_be_asked_for():
    running, release = Running(), threading.Event()

    def answer(program):
        release.wait(5)
        return Execution(())

    results = run_all(Scripted(answer), jobs(1), LIMITS, workers=1, watching=Watching(running))
    consumer = threading.Thread(target=list, args=(results,))
    consumer.start()
    while running.oldest() is None:
        time.sleep(0.001)
    assert running.oldest()[0] == "0"
    release.set()
    consumer.join()
    assert running.oldest() is None


def test_the_longest_known_go_first():
    sandbox, times = Scripted(), GoldTimes()
    programs = {name: Program(name, ()) for name in ("short", "long", "unknown")}
    times.see("short", 1.0)
    times.see("long", 9.0)
    work = [Job(name, program, Gold(name, program)) for name, program in programs.items()]
    list(run_all(sandbox, work, LIMITS, workers=1, times=times))
    assert [program.language for program in sandbox.programs] == ["long", "short", "unknown"]


def timed_out(program):
    return Execution((StepResult("check", None, limit="timeout"),))


def slow_machine(program):
    """Golds take a while, and need more than the plain limit; so do other right programs."""
    wall_s = (program.limits or SHORT).wall_s
    if wall_s <= SHORT.wall_s:
        return timed_out(program)
    time.sleep(0.02)
    return Execution((StepResult("check", 0, report=PASSED),))


SHORT = Limits(wall_s=0.05, cpu_s=0.05)
RIGHT = Program("python", (Step("right", "python/check.py"),))


def test_a_slow_gold_gives_its_problem_s_programs_more_time():
    job = Job("0", PROGRAM, Gold("p", RIGHT))
    sandbox = Scripted(slow_machine)
    [(_, execution)] = run_all(sandbox, [job], SHORT, workers=1)
    assert execution.steps[0].report == PASSED
    assert sandbox.programs[2].limits.wall_s >= 4 * 0.02


def test_a_gold_is_measured_once_and_only_for_a_time_out():
    sandbox = Scripted(slow_machine)
    work = [Job(str(number), PROGRAM, Gold("p", RIGHT)) for number in range(3)]
    list(run_all(sandbox, work, SHORT, workers=1))
    assert len([program for program in sandbox.programs if program.steps == RIGHT.steps]) == 1
    quick = Scripted()
    list(run_all(quick, work, LIMITS, workers=1))
    assert len(quick.programs) == 3


def test_a_gold_that_never_passes_gives_no_more_time():
    sandbox = Scripted(timed_out)
    [(_, execution)] = run_all(sandbox, [Job("0", PROGRAM, Gold("p", RIGHT))], SHORT, workers=1)
    assert execution.steps[0].limit == "timeout"
    assert len(sandbox.programs) == 2


def test_a_time_out_that_a_runner_reports_gives_more_time_as_well():
    def interrupted(program):
        found = slow_machine(program)
        said = Report(Outcome.TIMEOUT, message="the query was interrupted")
        timed = found.steps[0].limit is not None
        return Execution((StepResult("check", 0, report=said),)) if timed else found

    sandbox = Scripted(interrupted)
    [(_, execution)] = run_all(sandbox, [Job("0", PROGRAM, Gold("p", RIGHT))], SHORT, workers=1)
    assert execution.steps[0].report == PASSED


@pytest.mark.needs_bubblewrap
def test_an_interrupted_consumer_leaves_nothing_running():
    from mftbench.sandbox.attacks import PROMPT
    from mftbench.testing.sandbox import suite_program

    sandbox = select.BACKENDS["bubblewrap"]()
    endless = suite_program(PROMPT + "    while True: pass\n")
    quick = suite_program(PROMPT + "    return x + y\n")
    work = [Job("quick", quick), *(Job(str(number), endless) for number in range(8))]
    begin = time.monotonic()

    def interrupted():
        for _ in run_all(sandbox, work, Limits(wall_s=60), workers=2, retries=0):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not sandbox._cells
    assert time.monotonic() - begin < 20


ENDLESS = """
import sys
from mftbench.contract import Limits
from mftbench.sandbox.attacks import PROMPT
from mftbench.sandbox.bubblewrap import Bubblewrap
from mftbench.testing.sandbox import suite_program

print("ready", flush=True)
Bubblewrap().run(suite_program(PROMPT + "    while True: pass\\n"), Limits(wall_s=60, cpu_s=60))
"""


@pytest.mark.needs_bubblewrap
def test_a_killed_host_leaves_nothing_running():
    host = subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE)
    assert host.stdout.readline() == b"ready\n"
    deadline = time.monotonic() + 20
    while len(inside := watch.descendants(host.pid)[1:]) < 6 and time.monotonic() < deadline:
        time.sleep(0.05)
    host.kill()
    host.communicate()
    while watch.usage(inside).tasks and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(inside) >= 6  # two processes, each with bubblewrap's two around it
    assert watch.usage(inside).tasks == 0
