"""One running vLLM: opened when needed, given other weights, checked against transformers."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mftbench.errors import EngineError
from mftbench.inference.vllm.process import Worker
from mftbench.inference.vllm.settings import Ask, Room
from mftbench.inference.vllm.weights import Weights

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What vLLM made of one prompt."""

    name: str
    ids: tuple[int, ...]
    logprobs: tuple[float, ...]


class Session:
    """At most one worker at a time, on ``gpus`` of them. ``starts`` counts the engines opened."""

    def __init__(self, python: str, kv_bytes: int, gpus: int = 1) -> None:
        self.starts = 0
        self._python = python
        self._kv_bytes = kv_bytes
        self._gpus = gpus
        self._worker: Worker | None = None
        self._room: Room | None = None
        self._weights: Weights | None = None
        self._exchanges = True
        self._adapters: dict[str, int] = {}

    @property
    def pid(self) -> int | None:
        """Give the process that leads the engine's process group, while one runs."""
        return self._worker.pid if self._worker else None

    def ready(self, weights: Weights, room: Room, token_bytes: int, *, plain: bool) -> None:
        """Have an engine with this room compute with these weights; ``plain``: without adapters.

        Raises WorkerDied if vLLM fails, EngineError if it computes other than transformers does.
        """
        # On the CPU vLLM 0.32 computes rows without an adapter with what its last slot holds.
        clean = not plain or not self._adapters or len(self._adapters) < self._slots
        roomy = self._worker and self._room and self._room.covers(room) and clean
        if roomy and (self._weights == weights or self._exchanged(weights)):
            return
        self.close()
        self.starts += 1
        arguments = room.arguments(self._kv_bytes, token_bytes)
        arguments["arguments"] |= weights.arguments
        if self._gpus > 1:
            arguments["arguments"]["tensor_parallel_size"] = self._gpus
        self._worker = Worker(self._python, arguments)
        self._room, self._weights = room, weights
        if not self._right(weights):
            self.close()  # or it would be asked the next time, by its weights the right one
            raise EngineError(f"vLLM computes other than transformers does with {weights.model}")

    def answers(
        self, asks: Mapping[str, Ask], ends: Sequence[int], *, logprobs: bool
    ) -> Iterator[Answer]:
        """Make everything that is asked; yield each answer as it is finished.

        Raises WorkerDied if vLLM dies before the end.
        """
        for name, ask in asks.items():
            self._say(ask={"id": name, **self._request(ask, ends, logprobs)})
        self._say(go=True)
        while "done" not in (message := self._hear()):
            likely = tuple(message["logprobs"] or ())
            yield Answer(message["id"], tuple(message["ids"]), likely)

    def close(self) -> None:
        """End the worker."""
        if self._worker:
            self._worker.close()
        self._worker = self._room = self._weights = None
        self._adapters.clear()

    @property
    def _slots(self) -> int:
        return self._room.adapters if self._room else 0

    def _exchanged(self, weights: Weights) -> bool:
        """Load other weights into the running engine, if it can be trusted with that."""
        current = self._weights
        if not (self._exchanges and weights.exported and current and current.exported):
            return False
        self._say(weights=weights.model)
        self._hear()
        self._weights = weights
        self._exchanges = self._right(weights)
        if not self._exchanges:
            _log.warning("vLLM cannot exchange the weights of this model; it is started for each")
        return self._exchanges

    def _right(self, weights: Weights) -> bool:
        if not weights.exported:
            return True
        assert self._room is not None
        sampling = {"temperature": 0, "max_tokens": 1, "logprobs": 0}
        ids = list(weights.probe)
        self._say(ask={"id": "probe", "ids": ids, "sampling": sampling, "adapter": None})
        self._say(go=True)
        answer = self._hear()
        self._hear()
        return weights.right(answer["logprobs"][0], self._room.dtype)

    def _request(self, ask: Ask, ends: Sequence[int], logprobs: bool) -> dict[str, Any]:
        sampling: dict[str, Any] = {
            "temperature": ask.sampling.temperature,
            "top_p": ask.sampling.top_p,
            "max_tokens": ask.prompt.limit,
            "stop": [sequence for sequence in ask.prompt.stop if sequence],
            "stop_token_ids": list(ends),
        }
        if ask.sampling.temperature > 0:
            sampling["seed"] = ask.prompt.seed
        if logprobs:
            sampling["logprobs"] = 0  # of the chosen token alone
        return {"ids": ask.prompt.ids, "sampling": sampling, "adapter": self._adapter(ask)}

    def _adapter(self, ask: Ask) -> list[Any] | None:
        if ask.served.how != "adapter":
            return None
        name = str(ask.ref.trained)
        return [name, self._adapters.setdefault(name, len(self._adapters) + 1), name]

    def _say(self, **message: object) -> None:
        assert self._worker is not None
        self._worker.say(**message)

    def _hear(self) -> dict[str, Any]:
        assert self._worker is not None
        return self._worker.hear()
