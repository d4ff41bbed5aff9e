"""One measured training by mftbench, in a process of its own: called by training.py."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from peak_memory import peak_mb

from mftbench.contract import Example, Prompt
from mftbench.progress import Silent
from mftbench.stages import Adapter, Balance, Optim, SourceRef, TaskData, TrainSpec
from mftbench.training.train import train


class Stopwatch(Silent):
    """Wall and processor seconds from the first step's beginning to the last step's end."""

    def __init__(self) -> None:
        self.clocks: list[tuple[float, float]] = []

    def start(self, label: str, total: int) -> None:
        """Start."""
        self.clocks.append((time.perf_counter(), time.process_time()))

    def finish(self) -> None:
        """Stop."""
        self.clocks.append((time.perf_counter(), time.process_time()))


def main(job: Path) -> None:
    """Train as the job says and print what was measured as JSON."""
    asked = json.loads(job.read_text())
    rows: dict[str, list[Example]] = {}
    for number, row in enumerate(asked["rows"]):
        example = Example(str(number), row["prompt"], row["completion"])
        rows.setdefault(row["task"], []).append(example)
    spec = TrainSpec(
        model=asked["model"],
        model_fingerprint="",
        tasks=tuple(TaskData(task, 1, SourceRef("benchmark")) for task in rows),
        balance=Balance(asked.get("balancer", "token_mean")),
        adapter=Adapter(asked["adapter"], rank=16, alpha=32),
        optim=Optim(**asked["optim"]),
        format="plain",
        seed=1,
    )
    out, watch = Path(asked["folder"]), Stopwatch()
    out.mkdir(parents=True)
    train(spec, rows, {task: Prompt() for task in rows}, out, out / "work", watch)
    card = json.loads((out / "card.json").read_text())
    print(
        json.dumps(
            {
                "supervised_tokens": card["run"]["supervised_tokens"],
                "tokens": card["run"]["tokens"],
                "padding_share": card["run"]["padding_share"],
                "seconds": watch.clocks[1][0] - watch.clocks[0][0],
                "cpu_seconds": watch.clocks[1][1] - watch.clocks[0][1],
                "peak_mb": peak_mb(),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
