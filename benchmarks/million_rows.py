"""Memory and time of preparing many short rows: tokenise, split and pack; then from the store.

    python benchmarks/million_rows.py [--rows 1000000]

Both parts run in processes of their own, as two trainings of one study would.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import perf_counter, process_time

from mftbench.contract import Example, Prompt
from mftbench.models import load_tokenizer
from mftbench.stages import Adapter, Balance, Optim, SourceRef, TaskData, TrainSpec
from mftbench.store import Store
from mftbench.training.data import prepare
from mftbench.training.packing import best_fit_decreasing

LENGTH = 1024


class Rows(Mapping[str, Iterator[Example]]):
    """So many rows of one task, made as they are read."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __getitem__(self, task: str) -> Iterator[Example]:
        return (
            Example(
                f"{task}/{i}", f"Add {i} and {i % 97}.\n", f"def f():\n    return {i + i % 97}\n"
            )
            for i in range(self.count)
        )

    def __iter__(self) -> Iterator[str]:
        return iter(("sums",))

    def __len__(self) -> int:
        return 1


def measure(folder: Path, count: int) -> None:
    """Prepare the rows, pack them, and print what it took."""
    spec = TrainSpec(
        model="nano",
        model_fingerprint="nano",
        tasks=(TaskData("sums", 1, SourceRef("generated", {}, str(count))),),
        balance=Balance(),
        adapter=Adapter(),
        optim=Optim(max_length=LENGTH),
        format="plain",
        seed=1,
    )
    tokenizer = load_tokenizer("nano")
    wall, cpu = perf_counter(), process_time()
    data = prepare(spec, Rows(count), {"sums": Prompt()}, tokenizer, Store(folder))
    ready, ready_cpu = perf_counter() - wall, process_time() - cpu
    packs = best_fit_decreasing(data.train.lengths.tolist(), LENGTH)
    print(
        json.dumps(
            {
                "rows": len(data.train) + len(data.valid),
                "tokens": int(data.train.lengths.sum()),
                "prepare_s": round(ready, 2),
                "prepare_cpu_s": round(ready_cpu, 2),
                "pack_s": round(perf_counter() - wall - ready, 2),
                "packs": len(packs),
                "filled": float(data.train.lengths.sum() / (LENGTH * len(packs))),
                "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
        )
    )


def main() -> None:
    """Measure the first training and the second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.folder:
        measure(given.folder, given.rows)
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first training", "second training"):
            command = [sys.executable, __file__, "--folder", folder, "--rows", str(given.rows)]
            result = subprocess.run(command, capture_output=True, text=True, check=True)
            print(f"{name}: {result.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()
