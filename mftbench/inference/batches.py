"""Divide requests into batches that depend on the requests alone, never on what is already done.

What a row of a batch computes depends, in the last bits, on the shape of the batch. So the division
is fixed: an interrupted run makes its missing completions in the batches that they would have been
in, and gets the same text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mftbench.inference.engine import Request


@dataclass(frozen=True)
class Prompt:
    """A prompt as the model gets it, and the requests whose completion it gives.

    ``limit`` is the number of new tokens that fit. Several requests share a prompt only where they
    are bound to get the same completion.
    """

    ids: tuple[int, ...]
    limit: int
    requests: tuple[Request, ...]

    @property
    def stop(self) -> tuple[str, ...]:
        """Return the stop sequences, which all requests of a prompt have in common."""
        return self.requests[0].stop

    @property
    def seed(self) -> int:
        """Return the seed of the noise, if any is drawn."""
        return self.requests[0].seed


def merge_equal(requests: Sequence[Request], *, greedy: bool) -> list[tuple[Request, ...]]:
    """Group requests that are bound to get the same completion; with sampling the seed counts too.

    The groups come in an order that does not depend on the order of ``requests``.
    """
    groups: dict[object, list[Request]] = defaultdict(list)
    for request in sorted(requests, key=lambda request: (request.problem, request.sample)):
        seed = None if greedy else request.seed
        groups[request.prompt, request.stop, request.max_new_tokens, seed].append(request)
    return [tuple(group) for group in groups.values()]


def partition(
    prompts: Sequence[Prompt], size: int, room: int | None = None
) -> Iterator[tuple[Prompt, ...]]:
    """Yield batches of prompts of similar length, of at most ``size`` rows.

    ``room`` is how many tokens a batch may come to, all rows as long as its longest, answer
    included; a single row may exceed it. The longest come first: if memory does not suffice, that
    shows at once. The sort is stable, so the n samples of one prompt lie together.
    """
    batch: list[Prompt] = []
    answer = 0
    for prompt in sorted(prompts, key=lambda prompt: (-len(prompt.ids), -prompt.limit)):
        longest = len(batch[0].ids) if batch else len(prompt.ids)
        answer = max(answer, prompt.limit)
        full = room is not None and (len(batch) + 1) * (longest + answer) > room
        if batch and (full or len(batch) == size):
            yield tuple(batch)
            batch, answer = [], prompt.limit
        batch.append(prompt)
    if batch:
        yield tuple(batch)
