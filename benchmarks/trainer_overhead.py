"""What the trainer costs beside a bare loop: tokens per second of both, on the same batches.

    python benchmarks/trainer_overhead.py [--steps 40] [--rounds 3] [--batch 8] [--accumulation 4]

A random model of the nano model's size trains on made-up rows. Both take the same rows in the same
micro-batches through the same loss path; the bare loop has no tasks, no balancer, no metrics and no
library around it. The rounds alternate, so that a busy machine slows both; the ratio of CPU times,
most exact with --threads 1, hardly feels it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from mftbench.stages import Balance, Optim
from mftbench.training.arguments import training_arguments
from mftbench.training.balancing.balancer import BalancedTask
from mftbench.training.balancing.registry import make_balancer
from mftbench.training.layouts import make_layout, micro_batches
from mftbench.training.quiet import quiet
from mftbench.training.sampling import GlobalBatchSampler
from mftbench.training.token_losses import token_losses
from mftbench.training.tokens import TokenRow, TokenTable
from mftbench.training.trainer import MultiTaskTrainer, Recipe

TASKS = tuple(BalancedTask(f"task{i}") for i in range(5))


@dataclass(frozen=True)
class Load:
    """How much is trained: optimizer steps of ``accumulation`` micro-batches of ``batch`` rows."""

    steps: int
    batch: int
    accumulation: int

    @property
    def rows(self) -> int:
        """Count the rows of one epoch, which is all that is trained."""
        return self.steps * self.batch * self.accumulation


class Moment(NamedTuple):
    """Seconds on the wall's clock and of the processors' time."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Moment:
        """Read both clocks."""
        return cls(time.perf_counter(), time.process_time())

    def __sub__(self, other: Moment) -> Moment:
        return Moment(self.wall - other.wall, self.cpu - other.cpu)


def make_model() -> LlamaForCausalLM:
    """Make a random model of the nano model's shape."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=1024,
        hidden_size=256,
        intermediate_size=640,
        num_hidden_layers=4,
        num_attention_heads=4,
        use_cache=False,
    )
    return LlamaForCausalLM(config)


def make_rows(count: int) -> list[TokenRow]:
    """Make rows of 60 to 180 tokens, about a third of them supervised."""
    r = random.Random(0)
    lengths = [r.randint(60, 180) for _ in range(count)]
    return [
        TokenRow(i % len(TASKS), [r.randrange(1024) for _ in range(n)], int(n * 0.65))
        for i, n in enumerate(lengths)
    ]


def sampler_of(table: TokenTable, load: Load) -> GlobalBatchSampler:
    """Make the sampler of both."""
    return GlobalBatchSampler(table.tasks, window=load.batch * load.accumulation, seed=0)


def trainer_seconds(rows: Sequence[TokenRow], load: Load, folder: Path) -> Moment:
    """Train through MultiTaskTrainer."""
    table = TokenTable.of(rows)
    optim = Optim(lr=1e-3, batch=load.batch, accumulation=load.accumulation, epochs=1)
    with quiet():
        trainer = MultiTaskTrainer(
            make_model(),
            training_arguments(optim, 0, folder, validate=False),
            Recipe(
                tuple(task.name for task in TASKS),
                make_balancer(Balance("task_token"), TASKS),
                "global",
                make_layout(optim, len(TASKS)),
                sampler_of(table, load),
            ),
            table,
        )
        start = Moment.now()
        trainer.train()
        return Moment.now() - start


def bare_seconds(rows: Sequence[TokenRow], load: Load) -> Moment:
    """Train in a loop of a dozen lines."""
    model, table = make_model().train(), TokenTable.of(rows)
    layout = make_layout(Optim(batch=load.batch), len(TASKS))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    start = Moment.now()
    for window in sampler_of(table, load):
        for batch in micro_batches(layout, [table[row] for row in window]):
            (token_losses(model, model.lm_head, batch).mean() / load.accumulation).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return Moment.now() - start


def main() -> None:
    """Run both by turns and print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--accumulation", type=int, default=4)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    load = Load(options.steps, options.batch, options.accumulation)
    rows = make_rows(load.rows)
    tokens = sum(len(row.input_ids) for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        bare_seconds(rows[: len(rows) // 4], load)  # warm up
        rounds = [
            (bare_seconds(rows, load), trainer_seconds(rows, load, Path(folder)))
            for _ in range(options.rounds)
        ]
    print(f"{load.steps} steps of {load.batch} x {load.accumulation} rows, {tokens} tokens")
    for name, column in zip(("bare loop", "trainer"), zip(*rounds, strict=True), strict=True):
        wall, cpu = (statistics.median(seconds) for seconds in zip(*column, strict=True))
        print(f"{name:10}{tokens / wall:8.0f} tokens/s {tokens / cpu:8.0f} tokens per CPU second")
    for clock in Moment._fields:
        ratios = [getattr(trainer, clock) / getattr(bare, clock) for bare, trainer in rounds]
        middle, least, most = statistics.median(ratios), min(ratios), max(ratios)
        print(f"trainer / bare, {clock} time: {middle:.3f} (rounds {least:.3f} to {most:.3f})")


if __name__ == "__main__":
    main()
