"""The host's side of the docker backend, with a fake engine: frames, pool, owners, profile."""

import os
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mftbench.contract import Execution, Limits, Program
from mftbench.errors import SandboxError, UsageError
from mftbench.sandbox.containers.archive import supervisor_archive
from mftbench.sandbox.containers.backend import Docker
from mftbench.sandbox.containers.build import build_context, build_image
from mftbench.sandbox.containers.images import RECIPES, image_names
from mftbench.sandbox.containers.owner import LABEL, own_labels, remove_leftovers
from mftbench.sandbox.containers.pool import ContainerPool
from mftbench.sandbox.containers.profile import Size, profile
from mftbench.sandbox.frames import MalformedFrameError, read_frame, write_frame
from mftbench.sandbox.order import Order, Role
from mftbench.sandbox.pool import Job, run_all
from mftbench.sandbox.runners import execution_digest, runners_digest
from mftbench.sandbox.toolchains import MissingLanguageError
from mftbench.sandbox.verdict import verdict_of
from mftbench.testing.containers import FakeEngine, passing
from mftbench.testing.sandbox import suite_program

LIMITS = Limits(wall_s=5.0)
PROGRAM = suite_program("def add(x, y):\n    return x + y\n")
ORDER = Order("python", [Role("python/check.py", b"{}")], LIMITS, "nonce")


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def sandbox(engine):
    sandbox = Docker(connect=lambda: engine)
    yield sandbox
    sandbox.close()


# ---------------------------------------------------------------- frames


def reader_of(body):
    left = bytearray(body)

    def exactly(count):
        if len(left) < count:
            raise EOFError
        taken = bytes(left[:count])
        del left[:count]
        return taken

    return exactly


@given(st.dictionaries(st.sampled_from("abc"), st.text()), st.lists(st.binary(max_size=50)))
def test_a_frame_arrives_as_it_was_sent(header, parts):
    assert read_frame(reader_of(write_frame(header, parts))) == (header, parts)


@given(st.binary(max_size=100))
def test_bytes_that_are_no_frame_are_refused(body):
    with pytest.raises((MalformedFrameError, EOFError)):
        read_frame(reader_of(len(body).to_bytes(8, "big") + body))


@pytest.mark.parametrize("head", [b'{"parts": [-1]}', b'{"parts": [99999999999]}', b'{"parts": 1}'])
def test_a_frame_with_impossible_parts_is_refused(head):
    with pytest.raises(MalformedFrameError):
        read_frame(reader_of(len(head).to_bytes(8, "big") + head))


class Chopped:
    """A stream that gives its bytes in pieces of some sizes."""

    def __init__(self, body, sizes):
        self.body, self.sizes = bytearray(body), list(sizes)

    def recv(self, count):
        count = min(count, self.sizes.pop() if self.sizes else count)
        taken = bytes(self.body[:count])
        del self.body[:count]
        return taken

    def settimeout(self, seconds):
        pass


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=20))), st.data())
def test_packets_are_sorted_however_they_are_cut(packets, data):
    from mftbench.sandbox.containers.container import _Demultiplexed

    body = b"".join(bytes([k, 0, 0, 0]) + len(b).to_bytes(4, "big") + b for k, b in packets)
    sizes = data.draw(st.lists(st.integers(1, 9), max_size=len(body)))
    out = b"".join(b for k, b in packets if k == 1)
    stream = _Demultiplexed(Chopped(body, sizes))
    stream.begin(10.0)
    assert stream.exactly(len(out)) == out


# ---------------------------------------------------------------- what runs


def test_a_step_s_answer_becomes_its_result(sandbox):
    [result] = sandbox.run(PROGRAM, LIMITS).steps
    assert verdict_of(result).passed
    assert result.report.checks == 1


def test_an_answer_with_another_nonce_proves_nothing(sandbox, engine):
    engine.answer = lambda header: passing({**header, "nonce": "guessed"})
    assert not verdict_of(sandbox.run(PROGRAM, LIMITS).steps[0]).passed


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"no frame of ours",
        write_frame({"error": "OSError: no space"}),
        write_frame({}),
        write_frame({"clean": True}, [b"", b""]),
    ],
    ids=["ends", "garbage", "error", "no exits", "two reports"],
)
def test_a_container_that_fails_is_no_verdict_and_is_removed(sandbox, engine, answer):
    engine.answer = lambda header: answer
    with pytest.raises(SandboxError):
        sandbox.run(PROGRAM, Limits(wall_s=0.1))
    sandbox.close()
    assert engine.running == {}


def test_a_language_without_an_image_names_the_command_that_builds_it(sandbox):
    with pytest.raises(MissingLanguageError, match="mftbench sandbox build rust"):
        sandbox.run(Program("rust", ()), LIMITS)


def test_probe_says_engine_and_images(sandbox):
    probe = sandbox.probe()
    assert probe.usable
    assert probe.reason == "Docker fake with 1 of 7 images"
    assert probe.languages["python"] == "3.11.2"
    assert probe.languages["rust"] == ""


def test_without_an_image_for_python_the_backend_is_not_usable(sandbox, engine):
    engine.images = lambda label: []
    probe = sandbox.probe()
    assert not probe.usable
    assert "mftbench sandbox build" in probe.reason


def test_an_engine_that_is_stopped_gives_no_verdicts_and_is_used_again_when_it_is_back(
    sandbox, engine
):
    def stops(header):
        engine.broken = True

    engine.answer = stops
    jobs = [Job(str(number), PROGRAM) for number in range(4)]
    found = dict(run_all(sandbox, jobs, Limits(wall_s=0.1), workers=2, retries=0))
    assert all(isinstance(result, SandboxError) for result in found.values())
    engine.answer, engine.broken = passing, False
    found = dict(run_all(sandbox, jobs, LIMITS, workers=2, retries=0))
    assert all(isinstance(result, Execution) for result in found.values())


def test_a_closed_backend_starts_no_container(sandbox, engine):
    sandbox.close()
    with pytest.raises(SandboxError, match="closed"):
        sandbox.run(PROGRAM, LIMITS)
    assert engine.started == 0


# ---------------------------------------------------------------- the pool


def use(pool, times=1):
    for _ in range(times):
        container = pool.take("image", Size(512, 64, 128))
        container.carry_out(ORDER)
        pool.give_back(container)


@pytest.fixture
def pool(engine):
    pool = ContainerPool(engine, "", recycle_after=10)
    yield pool
    pool.close()


def test_a_container_is_used_again(pool, engine):
    use(pool, 9)
    assert engine.started == 1


def test_a_container_is_replaced_after_so_many_steps(pool, engine):
    use(pool, 25)
    assert engine.started == 3


def test_a_container_that_had_to_end_something_is_replaced(pool, engine):
    engine.answer = lambda header: passing(header, clean=False)
    use(pool, 3)
    assert engine.started == 3


def test_a_container_that_ended_while_it_was_idle_costs_no_step(pool, engine):
    engine.steps_each = 1
    for _ in range(3):
        use(pool)
        time.sleep(0.05)
    assert engine.started == 3


def test_a_container_serves_no_image_and_no_size_but_its_own(pool, engine):
    use(pool)
    pool.take("another", Size(512, 64, 128))
    pool.take("image", Size(1024, 64, 128))
    pool.take("image", Size(512, 32, 128))
    assert engine.started == 4


def test_closing_removes_idle_and_busy_containers(pool, engine):
    use(pool)
    pool.take("another", Size(512, 64, 128))
    pool.close()
    assert engine.running == {}


# ---------------------------------------------------------------- owners


def with_labels(engine, **changes):
    labels = {**own_labels(), **{f"{LABEL}.{name}": value for name, value in changes.items()}}
    engine.running["left"] = {"container": {"labels": labels}}


@pytest.mark.parametrize(
    ("changes", "removed"),
    [
        ({}, 0),
        ({"pid": "999999999"}, 1),
        ({"since": "1"}, 1),
        ({"boot": "another"}, 1),
        ({"machine": "another", "pid": "999999999"}, 0),
    ],
    ids=["alive", "gone", "number given again", "before a restart", "another machine's"],
)
def test_only_containers_of_processes_that_are_gone_are_removed(engine, changes, removed):
    with_labels(engine, **changes)
    assert remove_leftovers(engine) == removed


def test_all_containers_are_removed_when_that_is_asked(engine):
    with_labels(engine)
    assert remove_leftovers(engine, everything=True) == 1


def test_the_next_start_removes_what_a_killed_run_left(sandbox, engine):
    with_labels(engine, pid="999999999")
    sandbox.run(PROGRAM, LIMITS)
    assert "left" not in engine.running


# ---------------------------------------------------------------- profile, images, keys


def settings(**limits):
    return profile("image", Size.of(Limits(**limits)), own_labels(), 2, "")


def test_a_container_has_no_network_no_privileges_and_nothing_to_write_to_but_memory():
    host = settings()["host"]
    assert (host["network_mode"], host["read_only"], host["cap_drop"]) == ("none", True, ["ALL"])
    assert "no-new-privileges" in host["security_opt"]
    assert set(host["tmpfs"]) == {"/tmp", "/dev/shm", "/runner"}
    assert not {"binds", "volumes", "privileged", "devices"} & {*host, *settings()["container"]}


def test_memory_swap_tasks_and_files_are_limited_by_the_program_s_limits():
    small, large = settings(memory_mb=64)["host"], settings(memory_mb=4096)["host"]
    assert small["mem_limit"] == small["memswap_limit"] != large["mem_limit"]
    assert settings(files_mb=7)["host"]["tmpfs"]["/tmp"].count("size=7m") == 1
    assert settings(processes=500)["host"]["pids_limit"] > 1000


@given(st.integers(1, 8192), st.integers(1, 8192))
def test_a_container_covers_exactly_the_sizes_that_are_no_larger(one, other):
    mine, theirs = Size.of(Limits(memory_mb=one)), Size.of(Limits(memory_mb=other))
    assert mine.covers(theirs) == (mine.memory_mb >= theirs.memory_mb)


def test_an_image_is_named_by_its_language_or_its_folder():
    assert image_names(["sql", "node", "javascript"]) == ["sqlite", "node"]
    assert image_names(None) == list(RECIPES)


def test_an_unknown_language_is_named_with_a_suggestion():
    with pytest.raises(UsageError, match="did you mean 'python'"):
        image_names(["pyhton"])


@pytest.mark.parametrize("name", RECIPES)
def test_an_image_s_context_is_the_same_for_the_same_texts(name):
    assert build_context(name) == build_context(name)


def test_an_image_is_built_with_its_version_as_a_label(engine):
    options = []
    engine.build = lambda context, chosen, say: options.append(chosen) or "sha256:python"
    assert build_image(engine, "python", "debian:12", print).image.version == "3.11.2"
    assert options[-1]["labels"]["org.mftbench.image.version"] == "3.11.2"
    assert options[-1]["buildargs"] == {"BASE": "debian:12"}


def test_what_containers_get_imports_nothing_but_the_standard_library(tmp_path):
    import io
    import subprocess
    import sys
    import zipfile

    zipfile.ZipFile(io.BytesIO(supervisor_archive())).extractall(tmp_path)
    line = "import sys; sys.path.insert(0, '.'); import supervisor.main, supervisor.zygote"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", line], cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_the_digest_of_executions_changes_with_images_only_where_there_are_any():
    assert execution_digest({}) == runners_digest()
    one, other = execution_digest({"python": "a"}), execution_digest({"python": "b"})
    assert len({one, other, runners_digest()}) == 3


def test_the_owner_of_a_container_is_this_process():
    assert own_labels()[f"{LABEL}.pid"] == str(os.getpid())
    assert socket.gethostname() in own_labels()[f"{LABEL}.machine"]
