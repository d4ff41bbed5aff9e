"""How the store behaves with millions of executions and a thousand cells.

python benchmarks/store_scale.py [--items 10000000] [--cells 1000]

Synthetic items and artifacts in a temporary folder; prints one line per figure.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mftbench.bench import Bench, Options, Seams
from mftbench.inference.scripted import ScriptedEngine
from mftbench.itemlog import ItemLog, read_items
from mftbench.leaderboard.files import write_board
from mftbench.plan import Cell, plan
from mftbench.progress import Silent
from mftbench.run import run
from mftbench.sandbox.scripted import Scripted
from mftbench.store import Store
from mftbench.store_at import StoreAt
from mftbench.study import Study, TaskSettings
from mftbench.training.scripted import train

SHARD = 10_000
TASKS = ("completion", "text_to_code", "sql")
SMALL = {"starter": {"train": 6, "problems": 4}}


def main() -> None:
    """Measure items first, then cells."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=10_000_000)
    parser.add_argument("--cells", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _items(Path(folder) / "items", arguments.items)
    with tempfile.TemporaryDirectory() as folder:
        _cells(Path(folder), arguments.cells)


def _items(folder: Path, count: int) -> None:
    """Append, resume and sum items, one log for each evaluation, as the stages do."""
    logs = [folder / f"{number}.jsonl" for number in range(max(1, count // SHARD))]
    with _timed(f"append {len(logs) * SHARD:,} items to {len(logs):,} logs"):
        for path in logs:
            with ItemLog(path) as log:
                for number in range(SHARD):
                    log.append(_item(number))
    with _timed("resume: read what is done of each log"):
        for path in logs:
            with ItemLog(path) as log:
                assert len({(item["problem"], item["sample"]) for item in log}) == SHARD
    with _timed("sum the items of all logs"):
        passed = sum(item["exit"] == 0 for path in logs for item in read_items(path))
    assert passed == len(logs) * SHARD // 2
    size = sum(path.stat().st_size for path in logs)
    print(f"{'size on disk':60} {size / 2**30:8.2f} GiB")


def _item(number: int) -> dict[str, object]:
    return {
        "problem": f"task/{number % 164}",
        "sample": number // 164,
        "exit": number % 2,
        "stdout": "ok\n" * 20,
    }


def _cells(folder: Path, count: int) -> None:
    """Plan and run a study of which everything is stored."""
    study = Study(
        name="scale",
        models=("nano",),
        tasks=TASKS,
        data={name: TaskSettings(options=SMALL) for name in TASKS},
        baseline=False,
    )
    one = _run(folder, study).rows
    per_seed = len(TASKS) + 2
    study = replace(study, seeds=tuple(range(1, 1 + count // per_seed)))
    with _bench(folder, study) as bench:
        cells = plan(study, bench.context())
        artifacts = _fill(bench.store, cells)
    print(f"{len(cells):,} cells, {artifacts:,} artifacts")
    with _timed("plan"), _bench(folder, study) as bench:
        plan(study, bench.context())
    with _timed("run on a finished store"):
        outcome = _run(folder, study)
    assert (outcome.made, len(outcome.failures)) == (0, 0)
    assert len(outcome.rows) == len(one) * len(study.seeds)
    with _timed(f"write the board of {len(outcome.rows):,} rows"):
        write_board(folder / "board", outcome.rows)


def _fill(store: Store, cells: tuple[Cell, ...]) -> int:
    """Copy the artifacts of the first seed to the keys of all others."""
    first: dict[tuple[str, str, str], Path] = {}
    made = set()
    for cell in cells:
        for evaluation in cell.evaluations:
            for stage, name in evaluation.keys.items():
                place = (cell.label.partition(" seed ")[0], evaluation.task, stage)
                path = store.root / stage / name
                if place not in first:
                    first[place] = path
                elif not path.exists():
                    path.mkdir(parents=True)
                    for file in first[place].iterdir():
                        if file.is_file():
                            (path / file.name).write_bytes(file.read_bytes())
                made.add(path)
    return len(made)


def _run(folder: Path, study: Study):  # noqa: ANN202
    with _bench(folder, study) as bench:
        return run(bench)


def _bench(folder: Path, study: Study) -> Bench:
    engine = ScriptedEngine(lambda _: "def solve(x):\n    return 1\n")
    return Bench(study, Options(StoreAt(folder)), Silent(), Seams(train, engine, Scripted()))


@contextmanager
def _timed(what: str) -> Iterator[None]:
    """Print wall and processor seconds, and the largest memory of the process so far."""
    wall, used = time.perf_counter(), time.process_time()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    passed = time.perf_counter() - wall
    print(f"{what:60} {passed:8.1f} s {time.process_time() - used:8.1f} s CPU {peak:8.0f} MiB")


if __name__ == "__main__":
    main()
