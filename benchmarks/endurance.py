"""Run a sandbox for thousands of executions and watch what may grow: all of it must stay flat.

    python benchmarks/endurance.py --sandbox docker --executions 20000

Programs are right, wrong, crashing, leaving, daemon-leaving and file-leaving ones in turn. Printed
every tenth of the way, and compared at the end with the first tenth: resident memory, descriptors,
live processes, containers, and temporary bytes. Exit status 1: something grew, or was not executed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import astuple, dataclass
from pathlib import Path

from mftbench.contract import Execution, Program
from mftbench.sandbox import watch
from mftbench.sandbox.attacks import EVERY_ATTACK, attack_program
from mftbench.sandbox.attacks.programs import LIMITS
from mftbench.sandbox.folders import folder_prefix
from mftbench.sandbox.hoststate import look
from mftbench.sandbox.pool import Job, run_all
from mftbench.sandbox.select import open_sandbox
from mftbench.sandbox.verdict import verdict_of

PROGRAMS = (
    *("right", "right", "wrong", "V1-exit-at-import", "raises-at-import", "syntax-error", "right"),
    *("P2-daemon-right", "I4-leaves-files", "E8-string"),
)
MEMORY_SLACK = 32 << 20
COUNT_SLACK = 4
DISK_SLACK = 1 << 20


@dataclass(frozen=True)
class Usage:
    """What this process and its sandbox hold."""

    memory_bytes: int
    descriptors: int
    processes: int
    containers: int
    disk_bytes: int


def main() -> None:
    """Run, print, compare."""
    options = arguments()
    by_id = {attack.id: attack for attack in EVERY_ATTACK}
    tenth = max(1, options.executions // 10)
    seen: list[Usage] = []
    outcomes: Counter[str] = Counter()
    with contextlib.closing(open_sandbox(options.sandbox)) as sandbox:
        for part in range(10):
            begin = time.monotonic()
            jobs = [
                Job(f"{part} {number}", program)
                for number in range(tenth)
                if isinstance(
                    program := attack_program(by_id[PROGRAMS[number % len(PROGRAMS)]]), Program
                )
            ]
            for _, result in run_all(sandbox, jobs, LIMITS, options.workers):
                outcomes[outcome(result)] += 1
            seen.append(usage())
            rate = tenth / (time.monotonic() - begin)
            print(f"{(part + 1) * tenth:>7} {rate:6.1f}/s {seen[-1]}", flush=True)
    print(dict(outcomes))
    sys.exit(1 if outcomes["infra_error"] or grew(seen[0], seen[-1]) else 0)


def outcome(result: object) -> str:
    """Name the outcome, or say that there is none."""
    return (
        str(verdict_of(result.steps[-1]).outcome)
        if isinstance(result, Execution)
        else "infra_error"
    )


def usage() -> Usage:
    """Look at this process, what descends from it, containers and the temporary folder."""
    state = look()
    pids = watch.descendants(os.getpid())
    return Usage(
        watch.usage(pids).rss_bytes,
        len(list(Path("/proc/self/fd").iterdir())),
        len(state.processes),
        len(state.containers),
        sum(size(folder) for folder in own_folders()),
    )


def own_folders() -> list[Path]:
    """Find this process's temporary folders."""
    return list(Path(tempfile.gettempdir()).glob(f"{folder_prefix(os.getpid())}*"))


def size(folder: Path) -> int:
    """Add up the bytes of a folder's files."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def grew(first: Usage, last: Usage) -> bool:
    """Say whether anything is more than it was after the first tenth, but for some slack."""
    slack = Usage(MEMORY_SLACK, COUNT_SLACK, COUNT_SLACK, COUNT_SLACK, DISK_SLACK)
    triples = zip(astuple(first), astuple(last), astuple(slack), strict=True)
    return any(after > before + some for before, after, some in triples)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--executions", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
