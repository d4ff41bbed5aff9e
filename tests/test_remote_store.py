"""A store behind a URL: seen whole or not at all, made by one node, kept by what is published."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from mftbench.errors import StoreError, UsageError
from mftbench.remote.lease import Pace
from mftbench.remote.objects import Objects, open_objects
from mftbench.remote.patience import Patient
from mftbench.remote.scripted import Scripted, in_memory
from mftbench.remote.shared_store import SharedStore
from mftbench.store import Store, key
from mftbench.store_at import StoreAt, open_store, parse_store

QUICK = Pace(beat_s=0.05, look_s=0.02, dead_after_s=0.5)


@dataclass(frozen=True)
class Spec:
    lr: float = 0.1


NAME = key("train", Spec())


def node(objects: Objects, cache: Path) -> SharedStore:
    """Open the store of a place as a node with this cache does."""
    return SharedStore(Patient(objects, 5), cache, QUICK)


def weights(out: Path, work: Path) -> None:
    (out / "model").mkdir()
    (out / "model" / "weights.bin").write_bytes(bytes(1000))
    (out / "card.json").write_text("{}")


def refuse(out: Path, work: Path) -> None:
    raise AssertionError("made twice")


def test_what_one_node_made_another_finds_with_the_same_bytes(tmp_path):
    objects = in_memory()
    first = node(objects, tmp_path / "a").get_or_make("train", Spec(), weights)
    second = node(objects, tmp_path / "b").get_or_make("train", Spec(), refuse)
    assert (first.made, second.made) == (True, False)
    files = [path.relative_to(first.path) for path in first.path.rglob("*") if path.is_file()]
    assert len(files) == 4
    assert all((first.path / f).read_bytes() == (second.path / f).read_bytes() for f in files)


def test_what_is_cached_is_found_while_the_place_is_away(tmp_path):
    objects = in_memory()
    node(objects, tmp_path).get_or_make("train", Spec(), weights)

    def away(call: str, name: str) -> None:
        raise PermissionError("never asked")

    cached = node(Scripted(away, objects=objects), tmp_path)
    assert cached.get_or_make("train", Spec(), refuse).made is False


def test_an_upload_without_its_manifest_is_nothing(tmp_path):
    def interrupted(call: str, name: str) -> None:
        if call == "create" and name.endswith(f"{NAME}.json"):
            raise KeyboardInterrupt

    objects = in_memory()
    with pytest.raises(KeyboardInterrupt):
        node(Scripted(interrupted, objects=objects), tmp_path / "a").get_or_make(
            "train", Spec(), weights
        )
    other = node(objects, tmp_path / "b")
    assert other.find("train", NAME) is None
    assert not other.has("train", NAME)
    assert Store(tmp_path / "a").find("train", NAME) is None


def test_what_was_made_but_not_published_is_published_and_not_made_again(tmp_path):
    def closed(call: str, name: str) -> None:
        if call == "upload":
            raise PermissionError("Access Denied")

    objects = in_memory()
    with pytest.raises(StoreError, match="refuses: Access Denied"):
        node(Scripted(closed, objects=objects), tmp_path / "a").get_or_make(
            "train", Spec(), weights
        )
    assert node(objects, tmp_path / "a").get_or_make("train", Spec(), refuse).made
    assert node(objects, tmp_path / "b").find("train", NAME)


def test_the_first_publisher_wins_and_the_second_takes_its_artifact(tmp_path):
    objects = in_memory()

    def slow(out: Path, work: Path) -> None:
        # A lease is no fence: here another node takes us for dead and is faster.
        fast = SharedStore(Patient(objects), tmp_path / "b", Pace(look_s=0.01, dead_after_s=0.0))
        fast.get_or_make("train", Spec(), lambda out, work: _sign(out, "fast"))
        _sign(out, "slow")

    late = node(objects, tmp_path / "a").get_or_make("train", Spec(), slow)
    assert late.made is False
    assert (late.path / "who").read_text() == "fast"
    assert objects.names("train") == [f"{NAME}.json"]


def test_a_process_of_the_node_that_gets_an_artifact_as_it_is_published_disturbs_nobody(tmp_path):
    objects = in_memory()

    def get_at_once(call: str, name: str) -> None:
        if (call, name) == ("create", f"train/{NAME}.json"):
            assert node(objects, tmp_path).find("train", NAME)

    maker = node(Scripted(after=get_at_once, objects=objects), tmp_path)
    artifact = maker.get_or_make("train", Spec(), weights)
    assert artifact.made
    assert (artifact.path / "model" / "weights.bin").stat().st_size == 1000
    assert not maker.work("train", NAME).exists()


def test_work_that_another_node_has_finished_meanwhile_is_removed(tmp_path):
    objects = in_memory()

    def overtake(call: str, name: str) -> None:
        if call == "create" and name.startswith(f"leases/{NAME}/"):
            node(objects, tmp_path / "b").get_or_make("train", Spec(), weights)

    late = node(Scripted(overtake, objects=objects), tmp_path / "a")
    late.work("train", NAME).mkdir(parents=True)
    assert late.get_or_make("train", Spec(), refuse).made is False
    assert not late.work("train", NAME).exists()


def test_two_processes_of_a_node_that_peek_get_the_files_once(tmp_path):
    objects = in_memory()
    node(objects, tmp_path / "a").get_or_make("train", Spec(), weights)

    def peek_too(call: str, name: str) -> None:
        if call == "download" and not peeking.ident:
            peeking.start()
            peeking.join(0.3)

    scripted = Scripted(peek_too, objects=objects)
    peeking = threading.Thread(target=node(scripted, tmp_path / "b").peek, args=("train", NAME))
    assert node(scripted, tmp_path / "b").peek("train", NAME)
    peeking.join()
    assert len([name for call, name in scripted.calls if call == "download"]) == 3


def _sign(out: Path, who: str) -> None:
    (out / "who").write_text(who)


def test_a_file_that_is_not_what_was_published_is_refused(tmp_path):
    objects = in_memory()
    node(objects, tmp_path / "a").get_or_make("train", Spec(), weights)

    def spoil(call: str, name: str) -> None:
        if call == "download" and name.endswith("weights.bin"):
            objects.replace(name, b"torn")

    with pytest.raises(StoreError, match=r"weights\.bin: not the bytes that were published"):
        node(Scripted(spoil, objects=objects), tmp_path / "b").find("train", NAME)
    assert Store(tmp_path / "b").find("train", NAME) is None


def test_peeking_at_a_training_leaves_its_weights_where_they_are(tmp_path):
    objects = in_memory()
    node(objects, tmp_path / "a").get_or_make("train", Spec(), weights)
    scripted = Scripted(objects=objects)
    other = node(scripted, tmp_path / "b")
    peeked = other.search(NAME[:6])
    assert (peeked.path / "card.json").read_text() == "{}"
    assert not any(name.endswith("weights.bin") for _, name in scripted.calls)
    found = other.find("train", NAME)
    assert found
    assert (found.path / "model" / "weights.bin").stat().st_size == 1000


def test_many_keys_are_looked_up_in_one_listing(tmp_path):
    scripted = Scripted()
    store = node(scripted, tmp_path)
    assert not any(store.has("score", str(number)) for number in range(1000))
    assert scripted.calls == [("names", "score")]


def test_token_rows_are_each_node_s_own(tmp_path):
    scripted = Scripted()
    assert node(scripted, tmp_path).get_or_make("tokens", Spec(), weights).made
    assert scripted.calls == []


def test_texts_are_shared(tmp_path):
    objects = in_memory()
    node(objects, tmp_path / "a").put("launch/x/launch.json", "{}")
    assert node(objects, tmp_path / "b").get("launch/x/launch.json") == "{}"
    assert node(objects, tmp_path / "b").get("launch/y/launch.json") is None


def test_a_place_that_overwrites_cannot_hold_a_store(tmp_path):
    class Overwriting(Scripted):
        def create(self, name: str, data: bytes) -> bool:
            self.objects.replace(name, data)
            return True

    place = Overwriting()
    for cache in ("first", "again"):
        with pytest.raises(UsageError, match="takes the place of a first one"):
            node(place, tmp_path / cache).get_or_make("train", Spec(), refuse)


def test_a_living_holder_is_waited_for(tmp_path):
    objects, order = in_memory(), []
    holding = threading.Event()

    def hold() -> None:
        with node(objects, tmp_path / "a").locked("name", order.append):
            holding.set()
            time.sleep(4 * QUICK.dead_after_s)
            order.append("released")

    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait()
    with node(objects, tmp_path / "b").locked("name", order.append):
        order.append("taken")
    holder.join()
    assert order == ["name", "released", "taken"]


def test_a_dead_node_s_lease_becomes_free_and_one_of_many_takes_it(tmp_path):
    objects = in_memory()
    objects.create("leases/name/7", b'{"count":3,"holder":"dead","node":"gone"}')
    inside, most = [0], [0]

    def take(number: int) -> None:
        with node(objects, tmp_path / str(number)).locked("name", lambda _: None):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.05)
            inside[0] -= 1

    takers = [threading.Thread(target=take, args=(number,)) for number in range(4)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert (inside, most) == ([0], [1])
    assert objects.names("leases/name") == []


def test_who_looked_too_slowly_gives_way_to_who_holds_the_name_by_now(tmp_path):
    objects = in_memory()
    objects.create("leases/name/7", b'{"count":3,"holder":"dead","node":"gone"}')

    def overtake(call: str, name: str) -> None:
        # Between our look at 7 and our 8 somebody else was through, and a third one came.
        if (call, name) == ("create", "leases/name/8") and objects.read("leases/name/7"):
            objects.delete("leases/name/7")
            objects.create("leases/name/1", b'{"count":0,"holder":"third","node":"third"}')

    scripted = Scripted(overtake, objects=objects)
    with node(scripted, tmp_path).locked("name", lambda _: None):
        assert objects.names("leases/name") == ["2"]  # after the third one was left behind, too
    assert ("delete", "leases/name/8") in scripted.calls


def test_a_node_takes_back_at_once_what_its_killed_process_held(tmp_path):
    objects = in_memory()
    store = SharedStore(Patient(objects), tmp_path, Pace(look_s=0.02, dead_after_s=3600.0))
    with store.locked("name", lambda _: None):
        content = objects.read("leases/name/1")
    assert content
    objects.create("leases/name/1", content)
    told: list[str] = []
    with store.locked("name", told.append):
        assert told == []


def _make_five(url: str, cache: Path, log: Path) -> None:
    def make(out: Path, work: Path) -> None:
        with log.open("a") as file:
            file.write("made\n")
        weights(out, work)

    store = SharedStore(Patient(open_objects(url)), cache, Pace(look_s=0.05))
    for lr in range(5):
        store.get_or_make("train", Spec(lr=float(lr)), make)


def two_nodes_make(url: str, folder: Path) -> str:
    """Let two processes with caches of their own make the same five artifacts."""
    context = multiprocessing.get_context("spawn")
    nodes = [
        context.Process(target=_make_five, args=(url, folder / name, folder / "log"))
        for name in ("a", "b")
    ]
    for each in nodes:
        each.start()
    for each in nodes:
        each.join()
    return (folder / "log").read_text()


def test_two_nodes_never_make_the_same_artifact_twice_in_a_folder(tmp_path):
    assert two_nodes_make(f"file://{tmp_path}/place", tmp_path) == "made\n" * 5


@pytest.mark.needs_s3
def test_two_nodes_never_make_the_same_artifact_twice_on_s3(s3, tmp_path):
    assert two_nodes_make(s3.url("two"), tmp_path) == "made\n" * 5


class KilledAtManifest(Scripted):
    """End this process between the last upload and the manifest."""

    def create(self, name: str, data: bytes) -> bool:
        if name.startswith("train/"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().create(name, data)


def _publish_and_die(url: str, cache: Path) -> None:
    objects = KilledAtManifest(objects=open_objects(url))
    SharedStore(Patient(objects), cache).get_or_make("train", Spec(), weights)


@pytest.mark.needs_s3
def test_a_publisher_killed_before_its_manifest_leaves_nothing_to_find(s3, tmp_path):
    url = s3.url("killed")
    context = multiprocessing.get_context("spawn")
    publisher = context.Process(target=_publish_and_die, args=(url, tmp_path / "a"))
    publisher.start()
    publisher.join()
    assert publisher.exitcode == -signal.SIGKILL
    objects = open_objects(url)
    assert objects.names(f"leases/{NAME}") == ["1"]
    assert node(objects, tmp_path / "b").find("train", NAME) is None
    assert node(objects, tmp_path / "b").get_or_make("train", Spec(), weights).made
    assert node(objects, tmp_path / "a").get_or_make("train", Spec(), refuse).made is False


@pytest.mark.needs_s3
def test_a_server_that_is_stopped_while_an_artifact_is_made_is_waited_for(s3, tmp_path):
    told: list[str] = []
    objects = Patient(open_objects(s3.url("stopped")), told=told.append)

    def make(out: Path, work: Path) -> None:
        s3.stop()
        threading.Timer(3, s3.start).start()
        weights(out, work)

    assert SharedStore(objects, tmp_path / "a", QUICK).get_or_make("train", Spec(), make).made
    assert told
    assert node(open_objects(s3.url("stopped")), tmp_path / "b").find("train", NAME)


@pytest.mark.needs_s3
def test_a_bucket_that_is_not_there_is_one_line(s3, tmp_path):
    store = node(open_objects("s3://nowhere/x"), tmp_path)
    with pytest.raises(StoreError, match=r"s3://nowhere/x refuses: .*bucket does not exist"):
        store.get_or_make("train", Spec(), refuse)


def test_a_store_with_a_scheme_is_a_url_with_a_cache_of_its_own(tmp_path):
    environment = {"MFTBENCH_CACHE": str(tmp_path)}
    at = parse_store("s3://bucket/name/", environment)
    assert (at.url, at.argument) == ("s3://bucket/name", "s3://bucket/name")
    assert at.folder.parent == tmp_path
    assert at != parse_store("s3://bucket/other", environment)
    assert parse_store("some/folder") == StoreAt(Path("some/folder"))
    for default in (at, StoreAt(Path("some/folder"))):
        assert parse_store(default, environment) == default


def test_opening_a_url_gives_the_shared_store(tmp_path):
    assert isinstance(open_store(StoreAt(tmp_path, "memory://x")), SharedStore)
    assert type(open_store(StoreAt(tmp_path))) is Store
