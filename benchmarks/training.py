"""Supervised tokens a second and peak memory of training: mftbench beside TRL's SFTTrainer.

Each training runs in a process of its own, one after another, on the same rows of MBPP,
LeetCodeDataset and Spider (train, mixed), model, dtype and machine, for one epoch:

    python benchmarks/training.py --data DATA [--model smollm2] [--peer-python PYTHON_WITH_TRL]
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from mftbench.models import load_model
from mftbench.stages import ModelRef

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Way:
    """One way to train: its script, and what it is given beside the rows."""

    name: str
    script: str
    optim: Mapping[str, Any]
    trl: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)


# A step is 16 rows, or for TRL's packing about as many tokens. What is not named is TRL's default.
# Its default micro-batch of 8 packs is one sequence of 8192 tokens; one pack suits a CPU better.
# A GPU takes steps of 64 rows, in packs as long as TRL's eight.
GPU = torch.cuda.is_available()
STEP = {"batch": 16, "accumulation": 4} if GPU else {"batch": 4, "accumulation": 4}
OURS = {
    "ours packed": {"padding": "packed", "pack_length": 8192 if GPU else 0} | STEP,
    "ours dynamic": {"padding": "dynamic"} | STEP,
}
PACKED = {"packing": True, "per_device_train_batch_size": 1, "gradient_accumulation_steps": 2}
TRL = {
    "TRL packed": PACKED,
    "TRL packed, micro-batch of 8": {"packing": True},
    "TRL packed, no checkpointing": PACKED | {"gradient_checkpointing": False},
    "TRL padded": {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 4},
}


def ways() -> Iterator[Way]:
    """Give all ways, ours first."""
    for name, optim in OURS.items():
        yield Way(name, "training_ours.py", optim, {})
    recompute = {"MFTBENCH_ACTIVATIONS": "recompute"}
    yield Way("ours packed, recomputing", "training_ours.py", OURS["ours packed"], {}, recompute)
    for name, settings in TRL.items():
        yield Way(name, "training_trl.py", {}, settings)


def read_rows(data: Path) -> Iterator[dict[str, str]]:
    """Give all training rows of the three data sets as task, prompt and completion."""
    for line in (data / "mbpp" / "mbpp.jsonl").read_text().splitlines():
        row = json.loads(line)
        if 601 <= row["task_id"] <= 974:
            yield {"task": "mbpp", "prompt": row["text"] + "\n", "completion": row["code"]}
    (packed,) = (data / "leetcodedataset").glob("*train*.jsonl.gz")
    with gzip.open(packed, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            answer = {"prompt": row["query"] + "\n", "completion": row["completion"]}
            yield {"task": "leetcode"} | answer
    for row in json.loads((data / "spider" / "train_spider.json").read_text()):
        prompt = f"Database: {row['db_id']}\nQuestion: {row['question']}\nSQL: "
        yield {"task": "spider", "prompt": prompt, "completion": row["query"]}


def choose(data: Path, tokenizer: Any, count: int, longest: int) -> list[dict[str, str]]:
    """Draw rows that are no longer than ``longest`` tokens, a third of each data set."""
    by_task: dict[str, list[dict[str, str]]] = {}
    for row in read_rows(data):
        by_task.setdefault(row["task"], []).append(row)
    generator, chosen = random.Random(0), []
    for rows in by_task.values():
        generator.shuffle(rows)
        fitting = (
            row
            for row in rows
            if len(tokenizer(row["prompt"] + row["completion"]).input_ids) < longest - 8
        )
        chosen += [row for row, _ in zip(fitting, range(count // len(by_task)), strict=False)]
    generator.shuffle(chosen)
    return chosen


def matmul_rate(dtype: torch.dtype) -> float:
    """Measure the machine's matrix products: the best of 200, in FLOP/s.

    At the size of SmolLM2's trunk; a GPU is measured at a size that fills it.
    """
    rows, given, taken = (8192, 8192, 8192) if GPU else (1024, 576, 1536)
    device = "cuda" if GPU else "cpu"
    left = torch.randn(rows, given, device=device).to(dtype)
    right = torch.randn(taken, given, device=device).to(dtype)
    seconds = []
    for _ in range(200):
        start = perf_counter()
        torch.nn.functional.linear(left, right)
        if GPU:
            torch.cuda.synchronize()
        seconds.append(perf_counter() - start)
    return 2 * rows * given * taken / min(seconds)


def measure(way: Way, job: dict[str, Any], python: str, threads: int) -> dict[str, float]:
    """Run one training in its own process."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "job.json"
        optim = job["optim"] | dict(way.optim)
        given = job | {"optim": optim, "trl": dict(way.trl), "folder": f"{folder}/out"}
        file.write_text(json.dumps(given))
        settings = {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
        environment = os.environ | settings | dict(way.environment)
        command = [python, str(HERE / way.script), str(file)]
        result = subprocess.run(command, capture_output=True, text=True, env=environment)
        if result.returncode:
            raise SystemExit(f"{way.name} failed:\n{result.stderr[-3000:]}")
    measured: dict[str, float] = json.loads(result.stdout.strip().splitlines()[-1])
    return measured | {"rate": measured["supervised_tokens"] / measured["seconds"]}


def _per_cpu(measured: Mapping[str, float]) -> float:
    return measured["supervised_tokens"] / measured["cpu_seconds"]


def flops(model: Any, measured: Mapping[str, float], adapter: str) -> float:
    """Count the matrix products that the rows need, by parameters: trunk a token, head a target.

    Forward and backward are 2 operations each a parameter; the weights' gradients, which adapters
    do not need, are 2 more.
    """
    head = model.get_output_embeddings().weight.numel()
    embedding = model.get_input_embeddings().weight.numel()
    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    trunk = sum(p.numel() for p in model.parameters()) - embedding - (0 if tied else head)
    passes = 6 if adapter == "full" else 4
    return float(passes * (trunk * measured["tokens"] + head * measured["supervised_tokens"]))


def main() -> None:
    """Measure all ways and print rates, memory and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("MFTBENCH_DATA"))
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--adapters", default="lora,full")
    parser.add_argument("--rows", type=int, default=96)
    parser.add_argument("--max-length", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="ways whose names contain this")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has TRL")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    model, tokenizer = load_model(ModelRef(given.model))
    rows = choose(given.data, tokenizer, given.rows, given.max_length)
    with tempfile.TemporaryDirectory() as base:
        model.save_pretrained(base)
        tokenizer.save_pretrained(base)
        for adapter in given.adapters.split(","):
            report(given, model, adapter, {"model": base, "rows": rows, "adapter": adapter})


def report(given: argparse.Namespace, model: Any, adapter: str, job: dict[str, Any]) -> None:
    """Measure one adapter kind in all ways, and print a table."""
    peak = matmul_rate(torch.bfloat16)
    print(f"{given.model}, {adapter}, bfloat16, {len(job['rows'])} rows, {given.threads} threads")
    print(torch.cuda.get_device_name() if GPU else "no GPU")
    print(f"bf16 matrix product: {peak / 1e9:.0f} GFLOP/s")
    job["optim"] = {
        "lr": 1e-4,
        "epochs": 1,
        "max_length": given.max_length,
        "dtype": "bfloat16",
        "valid_share": 0.0,
    }
    first: dict[str, float] = {}
    for way in ways():
        if given.only not in way.name:
            continue
        python = sys.executable if way.script == "training_ours.py" else given.peer_python
        got = measure(way, job, python, given.threads)
        first = first or got
        share = flops(model, got, adapter) / got["seconds"] / peak
        print(
            f"  {way.name:30} {got['rate']:7.1f} supervised tokens/s  "
            f"{got['tokens'] / got['seconds']:7.1f} tokens/s  {got['peak_mb']:6.0f} MB  "
            f"{got['cpu_seconds']:6.1f} CPU s  "
            f"padding {got['padding_share']:5.1%}  {share:5.1%} of the product's rate  "
            f"ours packed is {first['rate'] / got['rate']:.2f}x, "
            f"{_per_cpu(first) / _per_cpu(got):.2f}x a CPU second",
            flush=True,
        )


if __name__ == "__main__":
    main()
