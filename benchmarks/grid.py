r"""Generate for a whole grid of adapters and sources: one vLLM for all against one for each cell.

    MFTBENCH_DATA=... python benchmarks/grid.py --model smollm2 --adapters 7 \
        --vllm .venv-vllm/bin/python --sources completion/humaneval,text_to_code/mbpp

The adapters are LoRA of rank 8 with random weights: what they answer means nothing, what it costs
does. Every cell is one adapter (or the base) on one source. Prints wall times with the starts in
them, their ratio, and how many answers of the two ways are the same, item by item.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model

from mftbench.inference.engine import Completion
from mftbench.inference.jobs import Job
from mftbench.inference.vllm.engine import VllmEngine
from mftbench.models import load_model
from mftbench.pipeline.asking import Asking, ask
from mftbench.stages import ModelRef, Sampling

Answers = dict[tuple[int, str, int], str]

FIVE = ",".join(
    f"{task}/starter"
    for task in ("completion", "text_to_code", "translation", "test_generation", "sql")
)


def main() -> None:
    """Measure both ways and print the figures."""
    options = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        models = [ModelRef(options.model)]
        models += [adapter(options.model, Path(scratch), n) for n in range(options.adapters)]
        jobs = cells(options, models)
        together, wall, starts = one_for_all(options, jobs)
        print(f"one engine for all:   {wall:7.1f} s, {starts} start, {len(together)} answers")
        apart, apart_wall, apart_starts = one_for_each(options, jobs)
        print(f"one engine per cell:  {apart_wall:7.1f} s, {apart_starts} starts")
        same = sum(apart[item] == text for item, text in together.items())
        print(f"ratio x{apart_wall / wall:.1f}; {same} of {len(together)} answers the same")


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
    return parser.parse_args()


def adapter(model: str, folder: Path, seed: int) -> ModelRef:
    """Write a LoRA of random weights, small enough that the model still answers."""
    torch.manual_seed(seed)
    base, _ = load_model(ModelRef(model))
    tuned = get_peft_model(base, LoraConfig(r=8, target_modules="all-linear"))
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_B" in name:
                weights.normal_(std=0.01)
    tuned.save_pretrained(folder / str(seed))
    return ModelRef(model, folder / str(seed), adapter=True)


def cells(options: argparse.Namespace, models: Sequence[ModelRef]) -> list[Job]:
    """Lay out one job for every model on every source."""
    sampling = Sampling(max_new_tokens=options.new_tokens, batch=options.batch)
    asked = []
    for place in options.sources.split(","):
        task, _, source = place.partition("/")
        asked.append(ask(Asking(task, source, options.problems), options.model, sampling).requests)
    return [Job(model, requests, sampling) for model in models for requests in asked]


def one_for_all(options: argparse.Namespace, jobs: Sequence[Job]) -> tuple[Answers, float, int]:
    """Generate for all cells in one pass of one engine."""
    start = time.perf_counter()
    with closing(VllmEngine(options.dtype, python=options.vllm)) as engine:
        answers = collect(engine, jobs)
        return answers, time.perf_counter() - start, engine.starts


def one_for_each(options: argparse.Namespace, jobs: Sequence[Job]) -> tuple[Answers, float, int]:
    """Generate for each cell with an engine of its own."""
    answers: Answers = {}
    start, starts = time.perf_counter(), 0
    for number, job in enumerate(jobs):
        with closing(VllmEngine(options.dtype, python=options.vllm)) as engine:
            made = collect(engine, [job])
            starts += engine.starts
        answers |= {(number, name, sample): text for (_, name, sample), text in made.items()}
    return answers, time.perf_counter() - start, starts


def collect(engine: VllmEngine, jobs: Sequence[Job]) -> Answers:
    """Gather the texts by job and item; any error ends the benchmark."""
    answers: Answers = {}
    for number, made in engine.generate_all(jobs):
        if not isinstance(made, Completion):
            raise made
        answers[number, made.problem, made.sample] = made.text
    return answers


if __name__ == "__main__":
    main()
