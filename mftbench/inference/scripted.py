"""The scripted engine: the fake that answers from a function or a table, without any model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from mftbench.inference.engine import Completion, Request
from mftbench.inference.text import cut
from mftbench.stages import ModelRef, Sampling

Script = Callable[[Request], str] | Mapping[str, str]
"""What to answer: a function of the request, or texts by problem id."""


class ScriptedEngine:
    """Answer from a script. A problem that the script does not know gets the empty completion.

    Stop sequences cut the text as they do for a model. ``tokens`` counts words, and
    ``max_new_tokens`` does not cut: the script says how long an answer is.
    """

    name = "scripted"
    version = "1"

    def __init__(self, script: Script | None = None) -> None:
        self._script = {} if script is None else script

    def generate(
        self,
        model: ModelRef,
        requests: Sequence[Request],
        sampling: Sampling,
        done: frozenset[tuple[str, int]] = frozenset(),
    ) -> Iterator[Completion]:
        """Yield the script's answer for each request that is not done, whatever the model."""
        for request in requests:
            if (request.problem, request.sample) not in done:
                text, stopped = cut(self._answer(request), request.stop)
                finish: Literal["stop", "length"] = "stop" if stopped else "length"
                yield Completion(request.problem, request.sample, text, len(text.split()), finish)

    def close(self) -> None:
        """Hold nothing, free nothing."""

    def _answer(self, request: Request) -> str:
        if isinstance(self._script, Mapping):
            return self._script.get(request.problem, "")
        return self._script(request)
