"""What each balancer costs beside plain mixed training: the ratio of their steps' times.

    python benchmarks/balancing_cost.py [BALANCER[:deferred]]... [--accumulation 4] [--lora]
        [--model nano | small] [--steps 24] [--rounds 4] [--threads 1]

Every balancer trains right after or before ``token_mean``, by turns, in the same process, on the
same rows in the same batches; the ratio is the median over steps and rounds of a step's CPU time
over that of the same step of ``token_mean``, so that a busy machine hardly shows. Random models:
*nano* has the shape of the built-in model, *small* six layers of SmolLM2-135M with its vocabulary.
Without names all balancers run, in the exact way and, where that differs, the deferred one.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, TrainerCallback

from mftbench.stages import Adapter, Balance, Optim
from mftbench.training.adapters import METHODS
from mftbench.training.arguments import training_arguments
from mftbench.training.balancing.balancer import BalancedTask, Gradients
from mftbench.training.balancing.registry import built_in_balancers, make_balancer
from mftbench.training.layouts import make_layout
from mftbench.training.quiet import quiet
from mftbench.training.sampling import GlobalBatchSampler
from mftbench.training.tokens import TokenRow, TokenTable
from mftbench.training.trainer import MultiTaskTrainer, Recipe

TASKS = tuple(BalancedTask(f"task{i}") for i in range(5))
PLAIN = Balance("token_mean")
NEEDED = {"fixed_weights": {"weights": {}}}
SHAPES = {
    "nano": {
        "vocab_size": 1024,
        "hidden_size": 256,
        "intermediate_size": 640,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
    },
    "small": {
        "vocab_size": 49152,
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 6,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "tie_word_embeddings": True,
    },
}


@dataclass(frozen=True)
class Load:
    """What is trained, and how much of it."""

    model: str
    lora: bool
    steps: int
    batch: int
    accumulation: int

    @property
    def rows(self) -> int:
        """Count the rows of all steps."""
        return self.steps * self.batch * self.accumulation


class StepClock(TrainerCallback):
    """Keeps the processor's time at the beginning of every step, and at the end."""

    def __init__(self) -> None:
        self.moments: list[float] = []

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Read the clock."""
        self.moments.append(time.process_time())

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Read the clock."""
        self.moments.append(time.process_time())

    @property
    def steps(self) -> list[float]:
        """Give the seconds of each step but the first two, which warm up."""
        pairs = zip(self.moments, self.moments[1:], strict=False)
        return [after - before for before, after in pairs][2:]


def make_model(load: Load) -> PreTrainedModel:
    """Make the random model."""
    torch.manual_seed(0)
    model: PreTrainedModel = LlamaForCausalLM(LlamaConfig(use_cache=False, **SHAPES[load.model]))
    return METHODS["lora"].attach(model, Adapter("lora"), "base") if load.lora else model


def make_rows(count: int, vocabulary: int) -> TokenTable:
    """Make rows of 60 to 180 tokens, about a third of them supervised."""
    r = random.Random(0)
    lengths = [r.randint(60, 180) for _ in range(count)]
    return TokenTable.of(
        TokenRow(i % len(TASKS), [r.randrange(vocabulary) for _ in range(n)], int(n * 0.65))
        for i, n in enumerate(lengths)
    )


def step_seconds(balance: Balance, load: Load, folder: Path) -> list[float]:
    """Train, and give each step's seconds."""
    optim = Optim(lr=1e-4, batch=load.batch, accumulation=load.accumulation, steps=load.steps)
    rows = make_rows(load.rows, SHAPES[load.model]["vocab_size"])
    valid = make_rows(load.batch * load.accumulation, SHAPES[load.model]["vocab_size"])
    window, clock = load.batch * load.accumulation, StepClock()
    with quiet():
        trainer = MultiTaskTrainer(
            make_model(load),
            training_arguments(optim, 0, folder, validate=False),
            Recipe(
                tuple(task.name for task in TASKS),
                make_balancer(balance, TASKS),
                balance.scope,
                make_layout(optim, len(TASKS)),
                GlobalBatchSampler(rows.tasks, window=window, seed=0),
                balance.way,
            ),
            rows,
            valid,
        )
        trainer.add_callback(clock)
        trainer.train()
    return clock.steps


def choose(names: list[str]) -> list[Balance]:
    """Give the balancers of the command line, or all in all their ways."""
    if names:
        pairs = [name.partition(":")[::2] for name in names]
        return [Balance(name, NEEDED.get(name, {}), way=way or "exact") for name, way in pairs]  # type: ignore[arg-type]
    chosen = []
    for name in built_in_balancers():
        chosen.append(Balance(name, NEEDED.get(name, {})))
        made = make_balancer(chosen[-1], TASKS)
        deferrable = made.gradients is not Gradients.PARAMETERS
        if deferrable and (made.needs_losses or made.needs_gradients):
            chosen.append(Balance(name, NEEDED.get(name, {}), way="deferred"))
    return chosen


def ratios(balance: Balance, load: Load, folder: Path, *, plain_first: bool) -> list[float]:
    """Compare the steps of one run of a balancer with those of a plain run beside it."""
    order = (PLAIN, balance) if plain_first else (balance, PLAIN)
    seconds = [step_seconds(each, load, folder) for each in order]
    plain, balanced = seconds if plain_first else reversed(seconds)
    return [after / before for before, after in zip(plain, balanced, strict=True)]


def main() -> None:
    """Print a line for every balancer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("balancers", nargs="*", metavar="BALANCER[:deferred]")
    parser.add_argument("--model", choices=SHAPES, default="nano")
    parser.add_argument("--lora", action="store_true")
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--accumulation", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    load = Load(options.model, options.lora, options.steps, options.batch, options.accumulation)
    print(load)
    with tempfile.TemporaryDirectory() as folder:
        for balance in choose(options.balancers):
            found = [
                ratio
                for number in range(options.rounds)
                for ratio in ratios(balance, load, Path(folder), plain_first=number % 2 == 0)
            ]
            low, middle, high = statistics.quantiles(found, n=4)
            label = f"{balance.name} ({balance.way})"
            print(f"{label:28} {middle:.3f}  (middle half {low:.3f} to {high:.3f})", flush=True)


if __name__ == "__main__":
    main()
