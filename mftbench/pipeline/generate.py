"""The Generate stage: every completion of one model on one source, resumable item by item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mftbench.canonical import digest
from mftbench.contract import Problem, Prompt
from mftbench.inference.engine import Completion, Engine, Request
from mftbench.itemlog import ItemLog, read_items, write_items
from mftbench.progress import Progress
from mftbench.records import from_json, to_json
from mftbench.stages import GenerateSpec, ModelRef

COMPLETIONS = "completions.jsonl"


def requests(
    spec: GenerateSpec, problems: Sequence[Problem], prompt: Prompt, render: Callable[[str], str]
) -> list[Request]:
    """Lay out the requests of a spec: every problem ``n`` times, each with a seed of its own."""
    budget = spec.sampling.max_new_tokens or prompt.max_new_tokens
    return [
        Request(
            problem=problem.id,
            sample=sample,
            prompt=render(prompt.render(problem.prompt)),
            stop=prompt.stop,
            max_new_tokens=budget,
            seed=int(digest([spec.seed, problem.id, sample], 15), 16),
        )
        for problem in problems
        for sample in range(spec.sampling.n)
    ]


def generate(
    spec: GenerateSpec,
    wanted: Sequence[Request],
    model: ModelRef,
    engine: Engine,
    out: Path,
    work: Path,
    progress: Progress,
) -> None:
    """Make what is missing of ``wanted``, then write all completions sorted by item.

    Also writes the rendered prompt of item 0: what was really asked decides a score.
    """
    with ItemLog(work / COMPLETIONS) as log:
        done = frozenset((item["problem"], item["sample"]) for item in log)
        progress.start(f"generate {spec.task}", len(wanted))
        progress.advance(len(done))
        for completion in engine.generate(model, wanted, spec.sampling, done):
            log.append(to_json(completion))
            progress.advance()
        progress.finish()
        items = sorted(log, key=lambda item: (item["problem"], item["sample"]))
    write_items(out / COMPLETIONS, items)
    if wanted:
        (out / "prompt_0.txt").write_text(wanted[0].prompt, encoding="utf-8", errors="replace")


def read_completions(folder: Path) -> list[Completion]:
    """Read the completions of a finished Generate artifact, sorted by problem and sample."""
    return [from_json(Completion, item) for item in read_items(folder / COMPLETIONS)]
