"""Compare two engines on the same requests: texts, tokens and their probabilities. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from mftbench.inference.engine import Completion, Engine, Request
from mftbench.inference.trace import Trace, Traces
from mftbench.stages import ModelRef, Sampling

Item = tuple[str, int]


@dataclass(frozen=True)
class Pair:
    """What two engines made of one request.

    ``differs_at`` is the first token that is not the same, None if all are. ``gaps`` are absolute
    differences of log-probabilities (nats) of the tokens before it, the same in both.
    """

    same_text: bool
    differs_at: int | None
    gaps: tuple[float, ...]


@dataclass(frozen=True)
class Agreement:
    """How far two engines agree; None where they do not tell their tokens."""

    items: int
    same_text: int
    differing: int | None
    first_difference: int | None
    median_difference: float | None
    mean_gap: float | None
    largest_gap: float | None


def traces(
    engine: Engine, model: ModelRef, requests: Sequence[Request], sampling: Sampling
) -> dict[Item, Trace]:
    """Complete with an engine; one that cannot trace gives its texts alone."""
    if isinstance(engine, Traces):
        found = list(engine.trace(model, requests, sampling))
    else:
        made = engine.generate(model, requests, sampling)
        found = [Trace(completion, (), ()) for completion in made]
    return {(each.completion.problem, each.completion.sample): each for each in found}


def completions(found: Mapping[Item, Trace]) -> list[Completion]:
    """Give the completions in the order of their items."""
    return [found[item].completion for item in sorted(found)]


def agreement(one: Mapping[Item, Trace], other: Mapping[Item, Trace]) -> Agreement:
    """Compare what two engines made of the same requests."""
    pairs = [_pair(one[item], other[item]) for item in sorted(one)]
    traced = any(each.ids for each in one.values()) and any(each.ids for each in other.values())
    places = [pair.differs_at for pair in pairs if pair.differs_at is not None]
    gaps = [gap for pair in pairs for gap in pair.gaps]
    return Agreement(
        items=len(pairs),
        same_text=sum(pair.same_text for pair in pairs),
        differing=len(places) if traced else None,
        first_difference=min(places, default=None) if traced else None,
        median_difference=median(places) if traced and places else None,
        mean_gap=fmean(gaps) if gaps else None,
        largest_gap=max(gaps, default=None),
    )


def _pair(one: Trace, other: Trace) -> Pair:
    common = 0
    for left, right in zip(one.ids, other.ids, strict=False):
        if left != right:
            break
        common += 1
    differs = common < max(len(one.ids), len(other.ids)) if one.ids and other.ids else False
    likely = zip(one.logprobs[:common], other.logprobs[:common], strict=False)
    return Pair(
        same_text=one.completion.text == other.completion.text,
        differs_at=common if differs else None,
        gaps=tuple(abs(left - right) for left, right in likely),
    )
