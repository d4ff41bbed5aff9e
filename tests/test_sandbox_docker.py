"""Programs in real containers: who they are, what they see, and what is left of them."""

import gc
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mftbench.contract import Execution, Limits, Outcome, Program, Step
from mftbench.errors import SandboxError
from mftbench.sandbox.attacks import PROMPT
from mftbench.sandbox.containers.backend import Docker
from mftbench.sandbox.containers.engine import DockerEngine
from mftbench.sandbox.containers.owner import LABEL, own_labels, remove_leftovers
from mftbench.sandbox.containers.profile import Size, profile
from mftbench.sandbox.namespaces import ENVIRONMENT
from mftbench.sandbox.pool import Job, run_all
from mftbench.sandbox.verdict import verdict_of
from mftbench.testing.sandbox import LIMITS, check_sandbox, suite_program

pytestmark = pytest.mark.needs_docker

ENGINE_SCRIPT = Path(__file__).parents[1] / "sandbox" / "engine.sh"
ENGINE_PID = Path("/var/run/mftbench-dockerd.pid")
RIGHT = suite_program(PROMPT + "    return x + y\n")


def said(sandbox, body, limits=LIMITS):
    """Run a right program that prints an expression's value as JSON while it is loaded."""
    source = f"import json, os, sys\n{body}\ndef add(x, y):\n    return x + y\n"
    [result] = sandbox.run(suite_program(source), limits).steps
    assert verdict_of(result).passed, result
    return json.loads(result.stdout)


def outcome(sandbox, completion, limits=LIMITS):
    return verdict_of(sandbox.run(suite_program(PROMPT + completion), limits).steps[0]).outcome


def mine(engine):
    own = own_labels().items()
    return {found.id for found in engine.containers(LABEL) if found.labels.items() >= own}


def gone(engine, containers):
    """Wait a moment for containers to go: the engine takes its time."""
    deadline = time.monotonic() + 20
    while mine(engine) & containers and time.monotonic() < deadline:
        time.sleep(0.1)
    return not mine(engine) & containers


@pytest.fixture
def engine():
    engine = DockerEngine()
    yield engine
    engine.close()


@pytest.fixture
def fresh():
    sandbox = Docker()
    yield sandbox
    sandbox.close()


def test_the_backend_keeps_the_promises_of_sandboxes(docker):
    check_sandbox(docker, attacks=())


# ---------------------------------------------------------------- who programs are


def test_every_program_is_a_user_that_nobody_was_before(docker):
    users = [said(docker, "print(json.dumps(os.getresuid()))") for _ in range(5)]
    assert all(min(user) >= 10_000 for user in users)
    assert len({tuple(user) for user in users}) == 5


def test_a_program_has_no_capability_and_can_gain_none(docker):
    status = said(docker, "print(json.dumps(open('/proc/self/status').read()))")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {fields[name] for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")} == {"0" * 16}
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


def test_a_program_sees_no_network_but_its_own_loopback(docker):
    assert said(docker, "print(json.dumps(os.listdir('/sys/class/net')))") == ["lo"]


def test_a_program_s_environment_is_constant(docker):
    given = said(docker, "print(json.dumps(dict(os.environ)))")
    assert given["HOME"] == given["TMPDIR"]
    assert given == {**ENVIRONMENT, "HOME": given["HOME"], "TMPDIR": given["HOME"]}


def test_a_program_can_write_only_to_memory(docker):
    body = """
found = []
for folder, _, _ in os.walk("/"):
    if folder.startswith(("/proc/", "/sys/")):
        continue
    try:
        open(os.path.join(folder, "probe"), "x").close()
        found.append(folder)
    except OSError:
        pass
print(json.dumps([found, os.getcwd()]))
"""
    found, work = said(docker, body)
    assert sorted(found) == sorted(["/dev/shm", "/tmp", work])


def test_a_program_sees_no_process_but_its_step_s_and_the_supervisor_s(docker):
    body = "print(json.dumps(sum(name.isdigit() for name in os.listdir('/proc'))))"
    assert said(docker, body) <= 5  # init, supervisor, zygote, checker, candidate


def test_memory_left_over_from_a_suite_is_not_in_the_next_program_s_memory(docker):
    secret = "zebra-" * 3 + "crossing"
    docker.run(
        suite_program(PROMPT + "    return x + y\n", f"# {secret}\nassert add(1, 2) == 3"), LIMITS
    )
    body = """
import re
wanted = b"zebra-" * 3 + b"crossing"
found = 0
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        first, last, rights = re.match("([0-9a-f]+)-([0-9a-f]+) (...)", line).groups()
        if rights == "rw-":
            memory.seek(int(first, 16))
            try:
                held = memory.read(int(last, 16) - int(first, 16))
            except OSError:
                continue
            found += held.count(wanted) - held.count(wanted + b"!")
print(json.dumps(found))
"""
    # Its own constants may hold the text once they are folded; nothing else does.
    assert said(docker, body) <= said(docker, body.replace("zebra", "camel"))


# ---------------------------------------------------------------- what is left


LEAVING = """
open("left", "x").close()
os.makedirs("a/b/c")
open("a/b/c/left", "x").close()
open("/tmp/left", "x").close()
open("/dev/shm/left", "x").close()
os.chmod("a/b", 0)
print(json.dumps([os.listdir("/tmp"), os.listdir("/dev/shm")]))
"""


def test_files_of_one_program_are_gone_for_the_next(docker):
    assert said(docker, LEAVING)[1] == ["left"]
    files, shared = said(docker, "print(json.dumps([os.listdir('/tmp'), os.listdir('/dev/shm')]))")
    assert [name for name in files if not name.isdigit()] == []
    assert shared == []


def test_nothing_can_be_left_in_shared_memory_or_queues(docker):
    body = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(json.dumps([libc.shmget(7, 4096, 0o1666), libc.msgget(7, 0o1666), libc.semget(7, 1, 0o1666)]))
"""
    assert said(docker, body) == [-1, -1, -1]


def test_closing_removes_every_container(fresh, engine):
    before = mine(engine)
    fresh.run(RIGHT, LIMITS)
    started = mine(engine) - before
    assert len(started) == 1
    fresh.close()
    assert not mine(engine) & started


def test_a_container_that_had_to_end_a_program_is_replaced(fresh, engine):
    before = mine(engine)
    fresh.run(RIGHT, LIMITS)
    started = mine(engine) - before
    assert outcome(fresh, "    while True: pass\n", replace(LIMITS, wall_s=1.0)) is Outcome.TIMEOUT
    assert gone(engine, started)


def test_the_kernel_s_end_for_want_of_memory_has_its_name(fresh):
    hoarding = """    import os, time
    for _ in range(40):
        if os.fork() == 0:
            hoard = b"x" * (12 << 20)
            time.sleep(60)
    time.sleep(60)
"""
    limits = Limits(wall_s=20.0, memory_mb=64, files_mb=4)
    assert outcome(fresh, hoarding, limits) is Outcome.OUT_OF_MEMORY


def test_files_and_their_number_are_bounded(docker):
    filling = """    for number in range(10**6):
        with open(f"{number}", "wb") as file:
            file.write(bytes(1 << 20))
"""
    assert outcome(docker, filling) is Outcome.ERROR
    assert outcome(docker, "    return x + y\n") is Outcome.PASSED


def test_a_step_of_javascript_limits_itself_before_it_becomes_node(docker):
    if not docker.probe().languages["javascript"]:
        pytest.skip("there is no image for javascript")
    request = {
        "source": "function add(x, y) { return x + y; }",
        "suite": "assert.equal(add(1, 2), 3);",
        "entry_points": ["add"],
        "expected_checks": 1,
    }
    program = Program("javascript", (Step("check", "node/check.js", request, in_process=True),))
    assert verdict_of(docker.run(program, Limits()).steps[0]).passed


HOST = """
import signal
from mftbench.contract import Limits
from mftbench.sandbox.containers.backend import Docker
from mftbench.sandbox.attacks import PROMPT
from mftbench.testing.sandbox import suite_program

# Where the tests run in the background, it is ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
sandbox = Docker()
sandbox.run(suite_program(PROMPT + "    return x + y\\n"), Limits())
print("ready", flush=True)
sandbox.run(suite_program(PROMPT + "    while True: pass\\n"), Limits(wall_s=60, cpu_s=60))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_host_process_that_is_ended_leaves_no_container(engine, how):
    host = subprocess.Popen(
        [sys.executable, "-c", HOST], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert host.stdout.readline() == b"ready\n"
    owned = f"{LABEL}.pid={host.pid}"
    assert len(engine.containers(owned)) == 1
    host.send_signal(how)
    host.communicate()
    deadline = time.monotonic() + 20
    while engine.containers(owned) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert engine.containers(owned) == []


def test_the_next_start_removes_a_container_whose_process_is_gone(engine, docker):
    labels = {**own_labels(), f"{LABEL}.since": "1"}
    image = docker.images()["python"]
    container, stream = engine.start(profile(image, Size.of(Limits()), labels, 2, ""))
    assert remove_leftovers(engine) >= 1
    assert container not in {found.id for found in engine.containers(LABEL)}
    stream.close()


@pytest.mark.slow
@pytest.mark.skipif(
    "MFTBENCH_STOP_ENGINE" not in os.environ or not ENGINE_PID.exists(),
    reason="stops an engine of sandbox/engine.sh, and only if MFTBENCH_STOP_ENGINE is set",
)
# The docker package leaves the sockets of refused connections to the garbage collector, which is
# asked to take them while their warning is ignored.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_items_of_an_engine_that_stops_are_missing_and_pass_when_it_is_back():
    sandbox = Docker()
    sleeping = suite_program(PROMPT + "    import time\n    time.sleep(0.1)\n    return x + y\n")
    jobs = [Job(str(number), sleeping) for number in range(60)]
    found = {}
    for name, result in run_all(sandbox, jobs, Limits(), workers=2, retries=0):
        found[name] = result
        if len(found) == 10:
            subprocess.run([ENGINE_SCRIPT, "stop"], check=True)
    subprocess.run([ENGINE_SCRIPT], check=True)
    missing = [job for job in jobs if isinstance(found[job.id], SandboxError)]
    assert len(found) == 60
    assert 0 < len(missing) <= 50
    again = dict(run_all(sandbox, missing, Limits(), workers=2))
    sandbox.close()
    for result in {**found, **again}.values():
        assert isinstance(result, Execution)
        assert verdict_of(result.steps[0]).passed
    del result, found, missing
    gc.collect()
