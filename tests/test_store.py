"""The store: made once, published whole, found by what made it."""

from __future__ import annotations

import errno
import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from mftbench.errors import EngineError, PluginError, SandboxError, StoreError, UsageError
from mftbench.store import Store, Unfinished, key


@dataclass(frozen=True)
class Spec:
    lr: float = 0.1
    parent: str = ""


def write(text: str):
    def make(out: Path, work: Path) -> None:
        (out / "data.txt").write_text(text)

    return make


def refuse(out: Path, work: Path) -> None:
    raise AssertionError("made twice")


def test_an_artifact_is_made_once_and_then_found(tmp_path):
    store = Store(tmp_path)
    first = store.get_or_make("train", Spec(), write("x"))
    second = store.get_or_make("train", Spec(), refuse)
    assert (first.made, second.made) == (True, False)
    assert (second.path / "data.txt").read_text() == "x"


def test_a_key_changes_with_every_field_and_with_the_stage():
    names = {key("train", Spec()), key("train", Spec(lr=0.2)), key("score", Spec())}
    assert len(names) == 3


def test_a_key_is_the_same_in_every_process():
    assert key("train", Spec()) == "ef6538665bd8ccbb7ee7"


def test_a_maker_that_raises_leaves_no_artifact_and_keeps_its_work(tmp_path):
    def fail(out: Path, work: Path) -> None:
        (work / "items.jsonl").write_text("{}\n")
        raise Unfinished("half")

    store = Store(tmp_path)
    with pytest.raises(Unfinished):
        store.get_or_make("execute", Spec(), fail)
    assert store.find("execute", key("execute", Spec())) is None
    assert (store.work("execute", key("execute", Spec())) / "items.jsonl").exists()


def test_a_half_written_output_is_thrown_away_and_work_is_kept(tmp_path):
    store = Store(tmp_path)
    work = store.work("train", key("train", Spec()))
    (work / "out").mkdir(parents=True)
    (work / "out" / "stale.bin").write_text("torn")
    (work / "checkpoint").write_text("good")

    def resume(out: Path, work: Path) -> None:
        assert (work / "checkpoint").read_text() == "good"

    artifact = store.get_or_make("train", Spec(), resume)
    assert not (artifact.path / "stale.bin").exists()
    assert not work.exists()


def test_a_full_disk_is_one_line_that_names_the_store(tmp_path):
    def full(out: Path, work: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StoreError, match=r"cannot write to the store at .*No space left"):
        Store(tmp_path).get_or_make("train", Spec(), full)


def test_a_full_disk_is_recognised_in_a_library_s_own_error(tmp_path):
    def full(out: Path, work: Path) -> None:
        raise RuntimeError("I/O error: No space left on device (os error 28)")

    with pytest.raises(StoreError, match="No space left"):
        Store(tmp_path).get_or_make("train", Spec(), full)


def test_a_full_disk_is_recognised_in_what_a_rank_of_a_training_said(tmp_path):
    def full(out: Path, work: Path) -> None:
        raise EngineError("training on 2 ranks failed: OSError: No space left on device")

    with pytest.raises(StoreError, match="No space left"):
        Store(tmp_path).get_or_make("train", Spec(), full)


@pytest.mark.parametrize(
    "error",
    [
        Unfinished("4 items missing: bwrap: setting up uid map: Permission denied"),
        SandboxError("docker: write /var/lib/docker/tmp: no room: No space left on device"),
        PluginError("task sql: source spider raised: Permission denied: 'dev.json'"),
        EngineError("vllm: Permission denied: '/dev/nvidia0'"),
        PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/elsewhere/dev.json"),
        PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_was_refused_elsewhere_is_not_the_store_s_fault(tmp_path, error):
    def refused(out: Path, work: Path) -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        Store(tmp_path).get_or_make("execute", Spec(), refused)
    assert raised.value is error


def test_a_store_that_may_not_be_written_is_one_line(tmp_path):
    def refused(out: Path, work: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(out / "model"))

    with pytest.raises(StoreError, match=r"cannot write to the store at .*Permission denied"):
        Store(tmp_path).get_or_make("train", Spec(), refused)


def test_a_disk_that_fills_while_a_name_is_held_is_one_line(tmp_path):
    with (
        pytest.raises(StoreError, match="No space left"),
        Store(tmp_path).locked("items", lambda _: None),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_store_that_is_a_file_is_one_line(tmp_path):
    store = Store(tmp_path / "file")
    store.root.write_text("")
    with pytest.raises(StoreError, match=r"cannot write to the store at .*Not a directory"):
        store.get_or_make("train", Spec(), write("x"))
    with pytest.raises(StoreError, match="Not a directory"):
        store.put("launch/x/launch.json", "{}")
    with pytest.raises(StoreError, match="File exists"):
        store.put("rates.json", "{}")


def test_a_full_disk_ends_the_command_with_exit_code_2():
    assert StoreError.exit_code == 2


def test_an_artifact_tells_its_spec_and_provenance(tmp_path):
    store = Store(tmp_path)
    artifact = store.get_or_make("train", Spec(lr=0.3), write(""), lambda: {"commit": "abc"})
    assert artifact.spec == {"lr": 0.3, "parent": ""}
    assert artifact.provenance == {"commit": "abc"}


def test_an_artifact_is_found_by_the_beginning_of_its_key(tmp_path):
    store = Store(tmp_path)
    artifact = store.get_or_make("score", Spec(), write(""))
    assert store.search(artifact.key[:6]).path == artifact.path


def test_an_unknown_key_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="no artifact 'feed'"):
        Store(tmp_path).search("feed")


def _count_makings(root: Path, log: Path) -> None:
    def make(out: Path, work: Path) -> None:
        with log.open("a") as file:
            file.write("made\n")

    for lr in range(5):
        Store(root).get_or_make("train", Spec(lr=float(lr)), make)


def test_two_processes_never_make_the_same_artifact_twice(tmp_path):
    context = multiprocessing.get_context("spawn")
    log = tmp_path / "log"
    workers = [
        context.Process(target=_count_makings, args=(tmp_path / "store", log)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert log.read_text() == "made\n" * 5
