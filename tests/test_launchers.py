"""Launchers: one conformance check for all, and how the local one divides a machine."""

from __future__ import annotations

import sys
import time

import pytest

from mftbench.errors import PluginError, UsageError
from mftbench.launching.launcher import Job, Needs, State, Status
from mftbench.launching.local import LocalLauncher
from mftbench.launching.machine import Machine, this_machine
from mftbench.launching.ray_cluster import lost
from mftbench.launching.scripted import Played, ScriptedLauncher
from mftbench.testing.launcher import check_launcher


def python(name: str, code: str, **needs: int) -> Job:
    return Job(name, (sys.executable, "-c", code), Needs(**needs))


def wait(launcher: LocalLauncher, name: str) -> Status:
    while not (status := launcher.poll(name)).over:
        time.sleep(0.01)
    return status


@pytest.mark.parametrize("slots", [1, 3])
def test_the_local_launcher_keeps_its_promises(slots, tmp_path):
    check_launcher(LocalLauncher(tmp_path, slots))


def test_the_check_names_the_promise_that_is_broken():
    with pytest.raises(PluginError, match="launcher 'scripted': made Status"):
        check_launcher(ScriptedLauncher())


class Leaving(LocalLauncher):
    """Leaves what runs to itself when it is closed."""

    def close(self) -> None:
        """Free nothing."""


def test_the_check_finds_a_launcher_that_leaves_a_job_behind(tmp_path):
    launcher = Leaving(tmp_path, 2)
    with pytest.raises(PluginError, match="says running of a job that was there when it closed"):
        check_launcher(launcher)
    launcher.cancel("late")


def test_slots_share_the_processors(tmp_path):
    launcher = LocalLauncher(tmp_path, 2, Machine(cpus=8))
    launcher.submit(python("a", "import os; print(os.environ['OMP_NUM_THREADS'])"))
    assert wait(launcher, "a").output == "4\n"


def test_two_jobs_at_a_time_have_two_gpus(tmp_path):
    code = "import os, time; print(os.environ['CUDA_VISIBLE_DEVICES']); time.sleep(0.3)"
    launcher = LocalLauncher(tmp_path, 2, Machine(8, ("3", "5")))
    for name in "ab":
        launcher.submit(python(name, code, gpus=1))
    assert {wait(launcher, name).output for name in "ab"} == {"3\n", "5\n"}


def test_a_job_without_need_of_a_gpu_sees_none(tmp_path):
    launcher = LocalLauncher(tmp_path, 2, Machine(8, ("0",)))
    launcher.submit(python("a", "import os; print(repr(os.environ['CUDA_VISIBLE_DEVICES']))"))
    assert wait(launcher, "a").output == "''\n"


def test_jobs_that_do_not_fit_in_memory_together_run_in_turn(tmp_path):
    launcher = LocalLauncher(tmp_path, 2, Machine(2, memory_mb=1000))
    for name in "ab":
        launcher.submit(python(name, "import time; time.sleep(0.3)", memory_mb=600))
    states = [launcher.poll(name).state for name in "ab"]
    launcher.close()
    assert states == [State.RUNNING, State.WAITING]


def test_a_job_larger_than_the_memory_runs_alone(tmp_path):
    launcher = LocalLauncher(tmp_path, 2, Machine(2, memory_mb=10))
    launcher.submit(python("a", "", memory_mb=600))
    assert wait(launcher, "a").state is State.ENDED


def test_a_job_that_waits_for_room_lets_a_smaller_one_pass(tmp_path):
    launcher = LocalLauncher(tmp_path, 3, Machine(3, ("0",)))
    sleep = "import time; time.sleep(30)"
    for name, gpus in (("a", 1), ("b", 1), ("c", 0)):
        launcher.submit(python(name, sleep, gpus=gpus))
    states = [launcher.poll(name).state for name in "abc"]
    launcher.close()
    assert states == [State.RUNNING, State.WAITING, State.RUNNING]


def test_a_job_that_never_fits_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="needs 2 GPUs and this machine has 1"):
        LocalLauncher(tmp_path, 1, Machine(4, ("0",))).submit(python("a", "", gpus=2))


def test_no_slot_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="slots is 0"):
        LocalLauncher(tmp_path, 0)


def test_hidden_gpus_are_not_there():
    assert this_machine({"CUDA_VISIBLE_DEVICES": ""}).gpus == ()
    assert this_machine({"CUDA_VISIBLE_DEVICES": "1, 3"}).gpus == ("1", "3")


def test_a_cancelled_job_takes_its_children_with_it(tmp_path):
    pid = tmp_path / "pid"
    child = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    launcher = LocalLauncher(tmp_path)
    launcher.submit(python("a", code))
    while not (pid.exists() and pid.read_text()):
        time.sleep(0.01)
    launcher.cancel("a")
    deadline = time.monotonic() + 10  # a killed process is gone a moment later
    while alive(int(pid.read_text())) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(int(pid.read_text()))


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_the_scripted_launcher_plays_jobs_on_its_own_clock():
    launcher = ScriptedLauncher(lambda _: Played(10.0), Needs(cpus=2))
    for name in "abc":
        launcher.submit(Job(name, ()))
    launcher.tick()
    assert [launcher.poll(name).state for name in "abc"] == ["ended", "ended", "running"]
    launcher.tick()
    assert (launcher.now, launcher.busy["cpus"]) == (20.0, 30.0)


@pytest.mark.needs_ray
def test_what_ray_could_not_start_is_lost_for_the_reason_that_ray_gives():
    from ray.exceptions import RayTaskError

    raised = FileNotFoundError(2, "No such file or directory", "/nowhere/python")
    story = f"Traceback (most recent call last):\n  ...\nFileNotFoundError: {raised}\n"
    status = lost(RayTaskError("_run", story, raised).as_instanceof_cause())
    assert status.state is State.LOST
    assert status.reason == f"FileNotFoundError: {raised}"
