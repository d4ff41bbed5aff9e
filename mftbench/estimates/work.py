"""How much a cell has to do: rows, tokens, steps, generations, executions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from mftbench.bench import Bench
from mftbench.canonical import digest
from mftbench.plan import Cell, Evaluation
from mftbench.stages import Optim, SourceRef, TrainSpec

_SAMPLE = 200
CHARACTERS_PER_TOKEN = 3.5
"""Of code under vocabularies of 32 k to 150 k tokens, where the model's tokenizer is not here."""


@dataclass(frozen=True)
class Work:
    """A cell's work. ``new_tokens`` is an upper bound: every answer at its full length."""

    rows: int = 0
    tokens: int = 0
    steps: int = 0
    generations: int = 0
    prompt_tokens: int = 0
    new_tokens: int = 0
    executions: int = 0


class Sizes:
    """Looks at each of a study's data sets once; ``count`` gives the tokens of a text."""

    def __init__(self, bench: Bench, count: Callable[[str], float]) -> None:
        self._bench = bench
        self._count = count
        self._known: dict[tuple[str, str, str], tuple[int, float]] = {}

    def of(self, cell: Cell) -> Work:
        """Add up a cell's work."""
        rows, tokens, steps = self._training(cell.train)
        asked = [self._evaluation(evaluation) for evaluation in cell.evaluations]
        generations, prompt_tokens, new_tokens = map(sum, zip(*asked, strict=True))
        return Work(rows, tokens, steps, generations, prompt_tokens, new_tokens, generations)

    def _training(self, spec: TrainSpec | None) -> tuple[int, int, int]:
        if spec is None:
            return 0, 0, 0
        sizes = [self._size("train", data.task, data.source) for data in spec.tasks]
        rows = sum(count for count, _ in sizes)
        steps, epochs = _steps(spec.optim, rows, sum(count * mean for count, mean in sizes))
        return rows, round(epochs * sum(count * mean for count, mean in sizes)), steps

    def _evaluation(self, evaluation: Evaluation) -> tuple[int, int, int]:
        spec = evaluation.generate
        problems, prompt = self._size("problems", spec.task, spec.source)
        budget = self._bench.asked(spec.task, spec.source).prompt.max_new_tokens
        count = problems * spec.sampling.n
        return count, round(count * prompt), count * (spec.sampling.max_new_tokens or budget)

    def _size(self, part: str, task: str, source: SourceRef) -> tuple[int, float]:
        """Count a data set's rows, and measure the mean tokens of some of them."""
        place = (part, task, digest(source))
        if place not in self._known:
            texts = list(_PARTS[part](self._bench, task, source))
            counts = [self._count(text) for text in texts[:: ceil(len(texts) / _SAMPLE)]]
            self._known[place] = len(texts), sum(counts) / len(counts)
        return self._known[place]


def _rows(bench: Bench, task: str, source: SourceRef) -> Iterator[str]:
    prompt = bench.asked(task, source).prompt
    return (prompt.render(each.prompt) + each.completion for each in bench.examples(task, source))


def _problems(bench: Bench, task: str, source: SourceRef) -> Iterator[str]:
    prompt = bench.asked(task, source).prompt
    return (prompt.render(each.prompt) for each in bench.problems(task, source).values())


_PARTS: Mapping[str, Callable[[Bench, str, SourceRef], Iterator[str]]] = {
    "train": _rows,
    "problems": _problems,
}


def _steps(optim: Optim, rows: int, tokens: float) -> tuple[int, float]:
    """Give the optimizer steps, and how often the data are seen."""
    batch = optim.batch * optim.accumulation
    if optim.tokens:
        epochs = optim.tokens / tokens
        return ceil(rows * epochs / batch), epochs
    if optim.steps:
        return optim.steps, optim.steps * batch / rows
    return ceil(rows * optim.epochs / batch), optim.epochs
