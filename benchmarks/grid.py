r"""Generate for a whole grid of adapters and sources: one vLLM for all against one for each cell.

    MFTBENCH_DATA=... python benchmarks/grid.py --model smollm2 --adapters 3 \
        --vllm .venv-vllm/bin/python --sources completion/humaneval,text_to_code/mbpp

The adapters are LoRA of rank 8 with random weights: what they answer means nothing, what it costs
does. Every cell is one adapter (or the base) on one source. The base is written out as a plain
folder once, before anything is timed, so that a start is vLLM's start alone. "each" starts our
engine for every cell, "vllm" runs vLLM without us for every cell. One transformers engine does the
same work. Prints wall times with the starts in them, their ratios, and how many
answers are the same, item by item.
--only makes one way in a call, for work that is too long for one; --answers keeps what was made.
--cold empties the kernel's file cache before every start (as root): so it is after other work.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import logging

from mftbench.inference.engine import Completion, Engine
from mftbench.inference.jobs import Job, generate_all
from mftbench.inference.transformers_engine import TransformersEngine
from mftbench.inference.vllm.engine import VllmEngine
from mftbench.models import load_model
from mftbench.pipeline.asking import Asking, ask
from mftbench.stages import ModelRef, Sampling

FIVE = ",".join(
    f"{task}/starter"
    for task in ("completion", "text_to_code", "translation", "test_generation", "sql")
)


WAYS = ("all", "each", "vllm", "transformers")


def main() -> None:
    """Measure what is asked for, and compare the ways that are there."""
    options = arguments()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped upstream
    measured: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory() as scratch:
        kept = Path(options.answers or scratch)
        kept.mkdir(parents=True, exist_ok=True)
        if options.only != "none":
            jobs = cells(options, written(options, Path(scratch)))
            for name, way in zip(WAYS, (one_for_all, one_for_each, vllm_alone, ours), strict=True):
                if options.only in ("", name):
                    for so_far in way(options, jobs):
                        (kept / f"{name}.json").write_text(json.dumps(asdict(so_far)))
        for name in WAYS:
            if (kept / f"{name}.json").is_file():
                measured[name] = Measured(**json.loads((kept / f"{name}.json").read_text()))
    report(measured)


@dataclass
class Measured:
    """One way over all cells: seconds with the starts in them, starts, answers by cell and item."""

    wall: float
    starts: int
    tokens: int
    answers: dict[str, str]


def report(measured: dict[str, Measured]) -> None:
    """Print one line a way, and how they compare."""
    for name, way in measured.items():
        print(
            f"{name:12} {way.wall:7.1f} s, {way.starts} starts,"
            f" {len(way.answers)} answers, {way.tokens} tokens"
        )
    if together := measured.pop(WAYS[0], None):
        for name, other in measured.items():
            same = sum(together.answers[item] == text for item, text in other.answers.items())
            ratio = f"x{other.wall / together.wall:.2f}"
            print(f"{name} beside {WAYS[0]}: {ratio}; {same} of {len(other.answers)} the same")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="nano")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--vllm", default=".venv-vllm/bin/python")
    parser.add_argument("--adapters", type=int, default=7)
    parser.add_argument("--sources", default=FIVE, help="TASK/SOURCE,...")
    parser.add_argument("--problems", type=int, default=50)
    parser.add_argument("--new-tokens", type=int, default=48)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--only", default="", choices=("", *WAYS, "none"))
    parser.add_argument("--answers", default="", help="a folder that keeps what each way made")
    parser.add_argument("--cold", action="store_true", help="start from disk, not from memory")
    return parser.parse_args()


def written(options: argparse.Namespace, folder: Path) -> list[ModelRef]:
    """Write the base, and LoRAs of random weights, small enough that the model still answers."""
    base, tokenizer = load_model(ModelRef(options.model), options.dtype)
    base.save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    base.name_or_path = str(folder / "base")
    models = [ModelRef(str(folder / "base"))]
    for seed in range(options.adapters):
        torch.manual_seed(seed)
        tuned = get_peft_model(base, LoraConfig(r=8, target_modules="all-linear"))
        with torch.no_grad():
            for name, weights in tuned.named_parameters():
                if "lora_B" in name:
                    weights.normal_(std=0.01)
        tuned.save_pretrained(folder / str(seed))
        base = tuned.unload()
        models.append(ModelRef(str(folder / "base"), folder / str(seed), adapter=True))
    return models


def cells(options: argparse.Namespace, models: Sequence[ModelRef]) -> list[Job]:
    """Lay out one job for every model on every source."""
    sampling = Sampling(max_new_tokens=options.new_tokens, batch=options.batch)
    asked = []
    for place in options.sources.split(","):
        task, _, source = place.partition("/")
        asked.append(ask(Asking(task, source, options.problems), options.model, sampling).requests)
    return [Job(model, requests, sampling) for model in models for requests in asked]


def one_for_all(options: argparse.Namespace, jobs: Sequence[Job]) -> Iterator[Measured]:
    """Generate for all cells in one pass of one engine."""
    cool(options)
    start = time.perf_counter()
    with closing(VllmEngine(options.dtype, python=options.vllm)) as engine:
        answers, tokens = collect(engine, jobs)
        yield Measured(time.perf_counter() - start, engine.starts, tokens, answers)


def one_for_each(options: argparse.Namespace, jobs: Sequence[Job]) -> Iterator[Measured]:
    """Generate for each cell with an engine of its own; yield the sums after every cell."""
    total = Measured(0.0, 0, 0, {})
    for number, job in enumerate(jobs):
        (made,) = one_for_all(options, [job])
        total.wall += made.wall
        total.starts += made.starts
        total.tokens += made.tokens
        of_cell = {item.partition(" ")[2]: text for item, text in made.answers.items()}
        total.answers |= {f"{number} {item}": text for item, text in of_cell.items()}
        yield total


def vllm_alone(options: argparse.Namespace, jobs: Sequence[Job]) -> Iterator[Measured]:
    """Generate for each cell with vLLM as it comes; yield the sums after every cell."""
    total = Measured(0.0, 0, 0, {})
    environment = {
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": str(os.cpu_count()),
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_NO_USAGE_STATS": "1",
    }
    for number, job in enumerate(jobs):
        requests = [
            {"prompt": each.prompt, "stop": list(each.stop), "limit": each.max_new_tokens}
            for each in job.requests
        ]
        asked = {
            "model": job.model.base,
            "adapter": str(job.model.trained) if job.model.adapter else None,
            "dtype": options.dtype,
            "length": 2048,
            "rows": options.batch,
            "requests": requests,
        }
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "job.json"
            file.write_text(json.dumps(asked))
            command = [options.vllm, str(Path(__file__).with_name("grid_vllm.py")), str(file)]
            cool(options)
            start = time.perf_counter()
            subprocess.run(command, check=True, env=os.environ | environment)
            total.wall += time.perf_counter() - start
            made = json.loads(file.with_suffix(".made.json").read_text())
        total.starts += 1
        for each, (text, tokens) in zip(job.requests, made, strict=True):
            total.answers[f"{number} {each.problem} {each.sample}"] = text
            total.tokens += tokens
        yield total


def ours(options: argparse.Namespace, jobs: Sequence[Job]) -> Iterator[Measured]:
    """Generate for all cells with one transformers engine, which exchanges the adapters."""
    start = time.perf_counter()
    with closing(TransformersEngine(options.dtype, "cpu")) as engine:
        answers, tokens = collect(engine, jobs)
        yield Measured(time.perf_counter() - start, 1, tokens, answers)


def cool(options: argparse.Namespace) -> None:
    """Forget what the kernel keeps of files, if asked to."""
    if options.cold:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3")


def collect(engine: Engine, jobs: Sequence[Job]) -> tuple[dict[str, str], int]:
    """Gather the texts by job and item, and count tokens; any error ends the benchmark."""
    answers, tokens = {}, 0
    for number, made in generate_all(engine, jobs):
        if not isinstance(made, Completion):
            raise made
        answers[f"{number} {made.problem} {made.sample}"] = made.text
        tokens += made.tokens
    return answers, tokens


if __name__ == "__main__":
    main()
