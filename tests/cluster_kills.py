"""Kill a worker, a node, the driver or the S3 server of a study on a Ray cluster at random moments.

The law is the same bytes as the local launcher gives, and nothing finished made twice. As a script:
``python tests/cluster_kills.py STUDY [--tasks A,B] [--set KEY=VALUE ...] [--hits 5] [--s3]
[--expected FILE]`` runs on two raylets of this machine until every kind of hit has been dealt so
often, and prints what it saw.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from s3_server import S3Server

OBJECT_STORE = 80 * 2**20


class TwoNodes:
    """A head without processors, and two nodes with one each that can be taken away.

    Every node has a cache of its own in ``caches``, which is lost with it.
    """

    def __init__(self, caches: Path) -> None:
        from ray.cluster_utils import Cluster

        self._caches = caches
        self._count = 0
        head = {"num_cpus": 0, "object_store_memory": OBJECT_STORE}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.nodes = [self.add(), self.add()]
        self.address = self.cluster.address

    def add(self) -> object:
        self._count += 1
        return self.cluster.add_node(
            num_cpus=1,
            resources={"bubblewrap": 1},
            object_store_memory=OBJECT_STORE,
            env_vars={"MFTBENCH_CACHE": str(self._caches / f"node-{self._count}")},
        )

    def lose_one(self) -> None:
        """Take a node away with all that runs on it, and bring a fresh one."""
        self.cluster.remove_node(self.nodes.pop(0), allow_graceful=False)
        self.nodes.append(self.add())


@dataclass
class Case:
    """A study with its store; drivers come and go."""

    study: list[str]
    store: str
    address: str
    folder: Path
    seen: dict[str, bytes] = field(default_factory=dict)
    made_twice: list[str] = field(default_factory=list)
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "log.txt"

    def drive(self) -> subprocess.Popen[bytes]:
        """Start a driver; the store and the board are the same every time."""
        where = ("--store", self.store, "--board", str(self.folder / "board"))
        how = ("--launcher", "ray", "--address", self.address)
        command = [sys.executable, "-m", "mftbench", "run", *self.study, *where, *how]
        environment = os.environ | {"MFTBENCH_CACHE": str(self.folder / "driver")}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, env=environment
            )

    @property
    def rows(self) -> bytes:
        return (self.folder / "board" / "results.jsonl").read_bytes()

    def look(self) -> int:
        """Hold what is finished against what was: another making would have other marks."""
        now = published(self.store)
        self.made_twice += [name for name, mark in self.seen.items() if now.get(name) != mark]
        self.seen = now
        return len(now)


def published(store: str) -> dict[str, bytes]:
    """Map every finished artifact to what a second making of it would change."""
    if "://" not in store:
        paths = Path(store).glob("*/*/spec.json")
        return {
            str(path.parent): str(path.stat().st_ino).encode()
            for path in paths
            if "work" not in path.parts
        }
    from mftbench.remote.objects import open_objects
    from mftbench.store import STAGES

    objects = open_objects(store)
    names = [f"{stage}/{name}" for stage in STAGES for name in objects.names(stage)]
    return {name: objects.read(name) or b"" for name in names}


def stages() -> Iterator[int]:
    """Find the processes below us that make a unit of work."""
    ours = descendants(os.getpid())
    for pid in ours:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"mftbench" in command and b"stage" in command:
            yield pid


def descendants(root: int) -> set[int]:
    """Give all processes below one, whatever sessions they are in."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(after[1])
    found: set[int] = set()
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent == root or parent in found}
        grown, found = more != found, more
    return found


def kill_a_worker() -> bool:
    """Kill a Ray worker that runs a unit; the unit ends with it. False if none does."""
    for pid in random.sample(found := list(stages()), len(found)):
        try:
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            os.kill(parent, signal.SIGKILL)
        except OSError:
            continue
        return True
    return False


@dataclass
class Dealt:
    """What was done to a study, and what came of it."""

    hits: list[str] = field(default_factory=list)
    rounds: int = 0
    drivers: int = 0
    equal: bool = True
    made_twice: list[str] = field(default_factory=list)
    finished_at_hit: list[int] = field(default_factory=list)


def deal(
    new_case: Callable[[int], Case],
    hits: list[str],
    nodes: TwoNodes,
    server: S3Server | None,
    expected: bytes,
    pause_s: tuple[float, float],
    finished: int = 0,
) -> Dealt:
    """Run rounds of the study, each in a fresh store, until all hits are dealt; one at least.

    No hit comes before so many artifacts of a round are ``finished``.
    """
    dealt, left = Dealt(), list(hits)
    while left or not dealt.rounds:
        case = new_case(dealt.rounds)
        dealt.rounds += 1
        while True:
            driver = case.drive()
            dealt.drivers += 1
            while driver.poll() is None and left:
                wait(driver, random.uniform(*pause_s))
                ripe = case.look() >= finished
                if ripe and driver.poll() is None and hit(left[0], driver, nodes, server):
                    dealt.hits.append(left.pop(0))
                    dealt.finished_at_hit.append(case.look())
            if driver.wait() == 0:
                break
            assert dealt.drivers < 10 + 3 * len(hits), case.log.read_text()[-4000:]
        case.look()
        dealt.made_twice += case.made_twice
        dealt.equal &= case.rows == expected
    return dealt


def wait(driver: subprocess.Popen[bytes], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while driver.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)


def hit(
    kind: str, driver: subprocess.Popen[bytes], nodes: TwoNodes, server: S3Server | None
) -> bool:
    """Deal one hit; False if there was nothing to hit yet."""
    if kind == "worker":
        return kill_a_worker()
    if not list(stages()):
        return False
    if kind == "node":
        nodes.lose_one()
    elif kind == "driver":
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
    else:
        assert server is not None
        server.stop()
        time.sleep(random.uniform(2, 10))
        server.start()
    return True


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("study")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--tasks", default="")
    parser.add_argument("--hits", type=int, default=5)
    parser.add_argument("--s3", action="store_true")
    parser.add_argument("--expected", type=Path, help="results.jsonl of the local launcher")
    parser.add_argument("--pause", type=float, nargs=2, default=(5.0, 40.0))
    parser.add_argument("--finished", type=int, default=0, help="artifacts before the first hit")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    sets = (part for each in arguments.set for part in ("--set", each))
    study = [arguments.study, "--tasks", arguments.tasks, *sets]
    with tempfile.TemporaryDirectory() as scratch:
        report(arguments, study, Path(scratch))


def report(arguments: argparse.Namespace, study: list[str], scratch: Path) -> None:
    server = S3Server() if arguments.s3 else None
    os.environ |= server.environment if server else {}
    expected = arguments.expected or alone(study, scratch / "alone")
    kinds = ["worker", "node", "driver", *(["server"] if server else [])]
    hits = kinds * arguments.hits
    random.shuffle(hits)
    nodes = TwoNodes(scratch / "caches")

    def new_case(number: int) -> Case:
        folder = scratch / f"round-{number}"
        store = server.url(f"round-{number}") if server else str(folder / "store")
        return Case(study, store, nodes.address, folder)

    begun = time.monotonic()
    try:
        rows, pause = expected.read_bytes(), arguments.pause
        dealt = deal(new_case, hits, nodes, server, rows, pause, arguments.finished)
    finally:
        nodes.cluster.shutdown()
        if server:
            server.close()
    print(f"hits: {', '.join(dealt.hits)}")
    print(f"artifacts finished at each hit: {dealt.finished_at_hit}")
    print(f"{dealt.rounds} studies, {dealt.drivers} drivers, {time.monotonic() - begun:.0f} s")
    print(f"made twice: {dealt.made_twice or 'none'}")
    print(f"same results.jsonl as the local launcher: {dealt.equal}")


def alone(study: list[str], folder: Path) -> Path:
    """Run the study with the local launcher."""
    where = ("--store", str(folder / "store"), "--board", str(folder / "board"))
    command = [sys.executable, "-m", "mftbench", "run", *study, *where]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "board" / "results.jsonl"


if __name__ == "__main__":
    main()
