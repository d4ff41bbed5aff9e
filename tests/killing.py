"""Kill a study's run at random moments and run it again: the law is the same bytes, nothing twice.

As a script: ``python tests/killing.py STUDY KILLS WITHIN_S`` prints what it saw.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Killed:
    """What happened: results of both ways, and artifacts that were published more than once."""

    uninterrupted: bytes
    resumed: bytes
    moments: list[float] = field(default_factory=list)
    finished_at_kill: list[int] = field(default_factory=list)
    made_twice: list[str] = field(default_factory=list)


def start(study: str, folder: Path) -> subprocess.Popen[bytes]:
    code = "from mftbench.cli import main; main()"
    arguments = ["run", study, "--store", str(folder / "store"), "--board", str(folder / "board")]
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments], stdout=log, stderr=log, start_new_session=True
        )


def finish(study: str, folder: Path) -> bytes:
    folder.mkdir(parents=True, exist_ok=True)
    process = start(study, folder)
    if process.wait() != 0:
        raise AssertionError((folder / "log.txt").read_text())
    return (folder / "board" / "results.jsonl").read_bytes()


def published(folder: Path) -> dict[str, int]:
    """Map every finished artifact to its inode: a second making would have another."""
    paths = folder.glob("store/*/*/spec.json")
    return {str(path.parent): path.stat().st_ino for path in paths if "work" not in path.parts}


def kill_and_resume(study: str, folder: Path, kills: int, within_s: float, seed: int) -> Killed:
    rng = random.Random(seed)
    result = Killed(finish(study, folder / "uninterrupted"), b"")
    killed = folder / "killed"
    killed.mkdir()
    before: dict[str, int] = {}
    for _ in range(kills):
        process = start(study, killed)
        moment = rng.uniform(0, within_s)
        deadline = time.monotonic() + moment
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = published(killed)
        result.moments.append(round(moment, 1))
        result.finished_at_kill.append(len(now))
        result.made_twice += [path for path, inode in before.items() if now.get(path) != inode]
        before = now
    result.resumed = finish(study, killed)
    after = published(killed)
    result.made_twice += [path for path, inode in before.items() if after.get(path) != inode]
    return result


if __name__ == "__main__":
    name, count, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    with tempfile.TemporaryDirectory() as scratch:
        outcome = kill_and_resume(name, Path(scratch), count, seconds, seed=1)
    print(f"killed after {outcome.moments} s, with {outcome.finished_at_kill} artifacts finished")
    print(f"made twice: {outcome.made_twice or 'none'}")
    print(f"same results.jsonl: {outcome.uninterrupted == outcome.resumed}")
