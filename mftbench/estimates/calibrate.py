"""Measure this machine on a few steps, answers and executions of a study."""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from mftbench.bench import Bench
from mftbench.contract import Program
from mftbench.errors import UsageError
from mftbench.estimates.rates import Rates
from mftbench.estimates.shapes import Shape, shape_of
from mftbench.models.location import AbsentModelError
from mftbench.pipeline.generate import requests
from mftbench.plan import Cell, Evaluation
from mftbench.progress import Silent
from mftbench.sandbox.pool import Job, run_all
from mftbench.stages import ModelRef, TrainSpec

_STEPS = 6
_ANSWERS = 32
_PROGRAMS = 32


def calibrate(bench: Bench, cells: Sequence[Cell]) -> Rates:
    """Train a few steps, answer and execute a few problems of the first cell whose model is here.

    Raises UsageError if no model of the study is here.
    """
    for cell in cells:
        if cell.train is not None and _is_here(cell.model) and (found := shape_of(cell.model)):
            return _measure(bench, cell.train, cell.evaluations[0], found[0])
    raise UsageError("no model of this study is here to measure with; state --tflops instead")


def _is_here(model: str) -> bool:
    from mftbench.models import fingerprint

    try:
        fingerprint(model)
    except (AbsentModelError, UsageError):
        return False
    return True


def _measure(bench: Bench, spec: TrainSpec, evaluation: Evaluation, shape: Shape) -> Rates:
    trained, generated = _training(bench, spec), _generating(bench, evaluation)
    per_weight = 6 if spec.adapter.kind == "full" else 4
    basis = (
        f"time measured on {platform.node() or 'this machine'} ({os.cpu_count()} processors) with "
        f"{spec.model}: {trained:,.0f} tokens a second in training, {generated:,.0f} in generation"
    )
    return Rates(
        training=per_weight * shape.parameters * trained,
        generating=2 * shape.parameters * generated,
        executing=_executing(bench, evaluation),
        basis=basis,
    )


def _training(bench: Bench, spec: TrainSpec) -> float:
    """Measure tokens per second, prompts included."""
    watched = replace(spec.optim, eval_every=0, affinity_every=0, stop="never", keep="last")
    optim = replace(watched, steps=_STEPS, tokens=0, checkpoint_every=0)
    wanted = 2 * optim.batch * optim.accumulation * _STEPS
    rows = {
        data.task: list(islice(bench.examples(data.task, data.source), wanted))
        for data in spec.tasks
    }
    prompts = {data.task: bench.asked(data.task, data.source).prompt for data in spec.tasks}
    with tempfile.TemporaryDirectory() as folder:
        out, work = Path(folder) / "out", Path(folder) / "work"
        for place in (out, work):
            place.mkdir()
        from mftbench.training.ranks import train

        train(replace(spec, optim=optim), rows, prompts, out, work, Silent())
        card = json.loads((out / "card.json").read_text())
    return float(card["tokens_per_second"])


def _generating(bench: Bench, evaluation: Evaluation) -> float:
    """Measure tokens per second, prompts included, with the base model."""
    spec = replace(evaluation.generate, train="", adapter=False)
    problems = list(bench.problems(spec.task, spec.source).values())[:_ANSWERS]
    prompt = bench.asked(spec.task, spec.source).prompt
    asked = requests(spec, problems, prompt, bench.render(spec))[:_ANSWERS]
    begun = time.perf_counter()
    made = list(bench.engine.generate(ModelRef(spec.model), asked, spec.sampling))
    passed = time.perf_counter() - begun
    from mftbench.models import load_tokenizer

    tokenizer = load_tokenizer(spec.model)
    read = sum(len(tokenizer.encode(request.prompt)) for request in asked)
    return (read + sum(answer.tokens for answer in made)) / passed


def _executing(bench: Bench, evaluation: Evaluation) -> float:
    """Measure programs per second, with the problems' own solutions."""
    task = bench.asked(evaluation.task, evaluation.execute.source)
    problems = bench.problems(evaluation.task, evaluation.execute.source).values()
    made = ((each.id, task.program(each, each.gold)) for each in islice(problems, _PROGRAMS))
    jobs = [Job(name, program) for name, program in made if isinstance(program, Program)]
    begun = time.perf_counter()
    executor = bench.executor
    list(run_all(executor.sandbox, jobs, executor.limits, executor.workers))
    return max(len(jobs), 1) / (time.perf_counter() - begun)
