"""The Generate stage: one pass of an engine over all that a group of models has to complete.

The pass keeps every completion as it comes, item by item; an artifact is then a selection of what
is kept. So a killed pass goes on where it was, and more samples, seeds or problems cost only what
is new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mftbench.canonical import digest, dumps
from mftbench.contract import JsonValue, Problem, Prompt
from mftbench.errors import EngineError, MftbenchError, PluginError
from mftbench.formats import stops
from mftbench.inference.engine import Completion, Engine, Request
from mftbench.inference.jobs import Job, generate_all
from mftbench.itemlog import ItemLog, read_items, write_items
from mftbench.pipeline.kept import Family, completion_of, item_name, kept, to_line
from mftbench.progress import Progress
from mftbench.records import from_json, to_json
from mftbench.stages import GenerateSpec, ModelRef, Sampling
from mftbench.store import Store

COMPLETIONS = "completions.jsonl"


def requests(
    spec: GenerateSpec, problems: Sequence[Problem], prompt: Prompt, render: Callable[[str], str]
) -> list[Request]:
    """Lay out the requests of a spec: every problem ``n`` times, each with a seed of its own.

    Stop sequences that are for continued texts are left out in formats that begin an answer anew.

    Raises PluginError for a problem whose prompt is empty: no model can be asked nothing.
    """
    stop = stops(spec.format, prompt.stop)
    budget = spec.sampling.max_new_tokens or prompt.max_new_tokens
    rendered = {problem.id: render(prompt.render(problem.prompt)) for problem in problems}
    if empty := [name for name, text in rendered.items() if not text]:
        raise PluginError(f"task {spec.task}: the prompt of {empty[0]} is empty; give it a text")
    return [
        Request(
            problem=problem.id,
            sample=sample,
            prompt=rendered[problem.id],
            stop=stop,
            max_new_tokens=budget,
            seed=int(digest([spec.seed, problem.id, sample], 15), 16),
        )
        for problem in problems
        for sample in range(spec.sampling.n)
    ]


@dataclass(frozen=True)
class Wanted:
    """All completions of one Generate artifact, ``key``; ``served`` is how its model is run."""

    key: str
    family: Family
    model: ModelRef
    requests: tuple[Request, ...]
    sampling: Sampling
    served: Mapping[str, JsonValue] = field(default_factory=dict)

    @cached_property
    def item_of(self) -> dict[tuple[str, int], str]:
        """The item's name of every request, by problem and sample, in order."""
        greedy = self.sampling.temperature == 0
        return {
            (each.problem, each.sample): item_name(each, greedy=greedy) for each in self.requests
        }

    @cached_property
    def items(self) -> dict[str, Request]:
        """Each item once, with the first request that asks for it."""
        first: dict[str, Request] = {}
        for request, name in zip(self.requests, self.item_of.values(), strict=True):
            first.setdefault(name, request)
        return first


def complete(
    wanted: Sequence[Wanted], engine: Engine, store: Store, progress: Progress
) -> dict[str, MftbenchError]:
    """Make every completion that is not kept yet, in one pass of the engine; keep each as it comes.

    Returns the errors of those that the engine could not complete, by key; the others are whole.
    A second process that wants the same waits here, and then finds it kept.
    """
    errors: dict[str, MftbenchError] = {}
    with ExitStack() as stack:
        logs = {}
        # Always in the order of their names, so that two processes never wait for each other.
        for name in sorted({each.family.name for each in wanted}):
            stack.enter_context(store.locked(name, lambda name: progress.start(f"wait {name}", 0)))
            logs[name] = stack.enter_context(ItemLog(store.items(name)))
        asked, jobs = _jobs(wanted, store)
        progress.start("generate", sum(len(job.requests) for job in jobs))
        progress.advance(sum(len(job.done) for job in jobs))
        for number, made in generate_all(engine, jobs):
            one = asked[number]
            if isinstance(made, Completion):
                item = one.item_of[made.problem, made.sample]
                logs[one.family.name].append(to_line(item, one.key, made))
                progress.advance()
            else:
                errors[one.key] = made
        progress.finish()
    return errors


def write_completions(wanted: Wanted, store: Store, out: Path) -> None:
    """Write an artifact from what is kept: its completions, sorted by item.

    What was really asked, and of what, decides a score: beside them stand the rendered prompt of
    item 0, and in ``served.json`` how the engine ran the model.
    Raises EngineError if a completion is missing.
    """
    lines = kept(store.items(wanted.family.name), wanted.items.keys())
    if missing := len(wanted.items.keys() - lines.keys()):
        raise EngineError(f"{missing} of {len(wanted.items)} completions are missing; run again")
    pairs = zip(wanted.requests, wanted.item_of.values(), strict=True)
    completions = [completion_of(request, lines[name]) for request, name in pairs]
    completions.sort(key=lambda each: (each.problem, each.sample))
    write_items(out / COMPLETIONS, [to_json(each) for each in completions])
    (out / "served.json").write_text(dumps(dict(wanted.served)) + "\n", encoding="ascii")
    if wanted.requests:
        first = wanted.requests[0].prompt
        (out / "prompt_0.txt").write_text(first, encoding="utf-8", errors="replace")


def read_completions(folder: Path) -> list[Completion]:
    """Read the completions of a finished Generate artifact, sorted by problem and sample."""
    return [from_json(Completion, item) for item in read_items(folder / COMPLETIONS)]


def _jobs(wanted: Sequence[Wanted], store: Store) -> tuple[list[Wanted], list[Job]]:
    """Give the jobs that have something to make, each with whom it is for.

    What another process finished while this one waited for the log is left out. What was made for
    another artifact, or will be in this pass, is no part of a job. What an interrupted pass made
    for this one is a part that is done: an engine may divide a job into batches, and the rest must
    come out as it would have then.
    """
    asked, jobs = [], []
    taken: set[tuple[str, str]] = set()
    for one in wanted:
        if store.has("generate", one.key):
            continue
        family = one.family.name
        lines = kept(store.items(family), one.items.keys())
        own = {name for name, line in lines.items() if line["made_for"] == one.key}
        rest = {
            name: request
            for name, request in one.items.items()
            if (name in own or name not in lines) and (family, name) not in taken
        }
        taken.update((family, name) for name in rest)
        done = frozenset((rest[name].problem, rest[name].sample) for name in own & rest.keys())
        if len(done) < len(rest):
            asked.append(one)
            jobs.append(Job(one.model, tuple(rest.values()), one.sampling, done))
    return asked, jobs
