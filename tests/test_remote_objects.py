"""Places of objects: exclusive, whole and at once on every kind, and patient when they are away."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mftbench.errors import PluginError, StoreError, UsageError
from mftbench.remote.objects import open_objects
from mftbench.remote.patience import Patient
from mftbench.remote.scripted import Scripted, in_memory
from mftbench.testing.objects import check_objects


def away(times: int):
    """Refuse connections so many times."""
    left = [times]

    def refuse(call: str, name: str) -> None:
        if left[0]:
            left[0] -= 1
            raise ConnectionRefusedError("nobody listens")

    return refuse


def no_sleep(seconds: float) -> None:
    """Let no time pass."""


def test_objects_in_memory_keep_the_promises():
    check_objects(in_memory())


def test_objects_in_a_folder_keep_the_promises(tmp_path):
    check_objects(open_objects(f"file://{tmp_path}/place"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.needs_s3
def test_objects_on_an_s3_server_keep_the_promises(s3):
    check_objects(open_objects(s3.url("promises")))


def test_a_place_that_overwrites_fails_the_check():
    class Overwriting(Scripted):
        def create(self, name: str, data: bytes) -> bool:
            self.objects.replace(name, data)
            return True

    with pytest.raises(PluginError, match="created an object that was there"):
        check_objects(Overwriting())


def test_an_unknown_kind_of_url_is_a_usage_error():
    with pytest.raises(UsageError, match=r"'nowhere://x'.*mftbench\[s3\]"):
        open_objects("nowhere://x")


def test_a_server_that_comes_back_is_asked_again_and_that_is_told():
    told: list[str] = []
    objects = Patient(Scripted(away(5)), 600, told.append, no_sleep)
    assert objects.create("name", b"data")
    assert told == [f"waiting for the store at {objects.url}"]


def test_patience_ends_in_one_line_that_names_the_url_and_the_remedy():
    objects = Patient(Scripted(away(10**9)), 30, sleep=no_sleep)
    with pytest.raises(
        StoreError, match=r"memory://\S+ has not answered .*: nobody listens; .*run"
    ):
        objects.read("name")


@pytest.mark.parametrize(
    "error",
    [
        PermissionError("Access Denied"),
        FileNotFoundError("The specified bucket does not exist"),
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    ],
)
def test_a_refusal_is_not_asked_again(error):
    def refuse(call: str, name: str) -> None:
        raise error

    scripted = Scripted(refuse)
    with pytest.raises(StoreError, match=f"refuses: .*{error.args[-1]}"):
        Patient(scripted, 600).upload(Path("file"), "name")
    assert len(scripted.calls) == 1


def test_a_creation_whose_answer_was_lost_is_still_ours():
    lost = iter([ConnectionResetError("cut off")])

    def lose_one(call: str, name: str) -> None:
        if error := next(lost, None):
            raise error

    objects = Patient(Scripted(after=lose_one), 600, sleep=no_sleep)
    assert objects.create("name", b"ours")
    assert not objects.create("name", b"somebody else's")
