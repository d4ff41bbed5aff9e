"""What 4 bits cost in training: the losses of QLoRA beside those of LoRA, on the same rows.

    python benchmarks/qlora.py --data DATA [--source spider | mbpp] [--model smollm2] [--rank 256]
        [--lr 2e-4] [--epochs 1] [--seed 1] [--rows 7000] [--adapters lora,qlora]

Both train at the same time, in a process and with a thread each, in bfloat16, with the same seed.
Each line is the mean training loss of a sixth of the steps, and the last is the validation loss at
the end, of a tenth of the rows.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise, repeat
from pathlib import Path
from statistics import fmean

import torch
from training import read_rows

from mftbench.contract import Example, Prompt
from mftbench.progress import Silent
from mftbench.stages import Adapter, Balance, Optim, SourceRef, TaskData, TrainSpec
from mftbench.training.train import train

PARTS = 6


@dataclass(frozen=True)
class Losses:
    """A training's losses: of its steps, and of the validation after the last."""

    steps: Sequence[float]
    validation: float

    def rows(self) -> list[float]:
        """Give the mean of each part of the steps, and the validation's."""
        bounds = [len(self.steps) * part // PARTS for part in range(PARTS + 1)]
        parts = [fmean(self.steps[start:end]) for start, end in pairwise(bounds)]
        return [*parts, self.validation]


def trained(kind: str, given: argparse.Namespace) -> Losses:
    """Train by one kind of adapter."""
    torch.set_num_threads(1)
    found = [row for row in read_rows(given.data) if row["task"] == given.source]
    kept = found[:: max(len(found) // given.rows, 1)][: given.rows]
    examples = [
        Example(str(number), row["prompt"], row["completion"]) for number, row in enumerate(kept)
    ]
    spec = TrainSpec(
        model=given.model,
        model_fingerprint="",
        tasks=(TaskData(given.source, 1, SourceRef("benchmark")),),
        balance=Balance(),
        adapter=Adapter(kind, rank=given.rank, alpha=2 * given.rank),
        optim=Optim(
            lr=given.lr,
            epochs=given.epochs,
            batch=16,
            accumulation=1,
            padding="packed",
            pack_length=2048,
            dtype="bfloat16",
            warmup=0.1,
            log_every=1,
            valid_share=0.1,
        ),
        format="plain",
        seed=given.seed,
    )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        out.mkdir()
        prompts = {given.source: Prompt()}
        train(spec, {given.source: examples}, prompts, out, Path(folder) / "work", Silent())
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    (*_, validation) = (line["eval_loss"] for line in lines if "eval_loss" in line)
    return Losses([line["loss"] for line in lines if "loss" in line], validation)


def main() -> None:
    """Train both and print their losses side by side."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("MFTBENCH_DATA"))
    parser.add_argument("--source", choices=["mbpp", "spider"], default="spider")
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--adapters", default="lora,qlora")
    parser.add_argument("--rank", type=int, default=256)
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument("--epochs", type=float, default=1)
    parser.add_argument("--rows", type=int, default=7000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    kinds = given.adapters.split(",")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(kinds), mp_context=spawn) as pool:
        found = list(pool.map(trained, kinds, repeat(given)))
    steps = len(found[0].steps)
    names = [
        f"steps {steps * part // PARTS + 1} to {steps * (part + 1) // PARTS}"
        for part in range(PARTS)
    ]
    print(f"{'':20}" + "".join(f"{kind:>10}" for kind in kinds) + "   beside the first")
    for name, losses in zip(
        [*names, "validation"], zip(*(each.rows() for each in found), strict=True), strict=True
    ):
        shares = "".join(f"{loss / losses[0] - 1:+8.1%}" for loss in losses[1:])
        print(f"{name:20}" + "".join(f"{loss:10.4f}" for loss in losses) + f"   {shares}")


if __name__ == "__main__":
    main()
