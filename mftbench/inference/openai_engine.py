"""The openai engine: any server that speaks OpenAI's completions API, over HTTP."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any

import openai
from openai.types import Completion as Answer

from mftbench.contract import JsonValue
from mftbench.errors import EngineError, UsageError
from mftbench.inference.engine import Completion, Request
from mftbench.inference.text import cut
from mftbench.stages import ModelRef, Sampling

_SEEDS = 2**31
"""Servers differ in the range of seeds that they take; all take these."""

_CONTEXT = re.compile(r"context (?:length|size|window)\D*(\d+)?|context_length_exceeded")
"""How servers say that prompt and answer together are too long, and for what."""

_STOPS = 4
"""OpenAI and vLLM's server refuse more stop sequences; the others end the text when it is here."""


class OpenAIEngine:
    """Generate with a server: vLLM's, SGLang, llama.cpp, Ollama, or a hosted one.

    ``url`` ends in "/v1". ``model`` is the server's name of the base, by default ours; ``tuned``
    its name of a trained model, in which {key} stands for the Train artifact's key. ``key_env``
    names the environment variable that holds the API key. Failures that may pass (overload, rate
    limits, lost connections, torn answers) are tried ``retries`` times more, ever later.
    ``per_minute`` limits the requests that are started in a minute; 0 is no limit.

    Whether the same request gets the same answer again is up to the server.
    """

    name = "openai"
    version = "1"

    def __init__(
        self,
        dtype: str = "float32",
        url: str = "http://127.0.0.1:8000/v1",
        model: str = "",
        tuned: str = "",
        key_env: str = "OPENAI_API_KEY",
        concurrency: int = 8,
        per_minute: int = 0,
        timeout_s: float = 300.0,
        retries: int = 6,
    ) -> None:
        if concurrency < 1 or retries < 0 or per_minute < 0 or timeout_s <= 0:
            raise UsageError(
                "engine 'openai' needs concurrency of at least 1, retries and per_minute of at "
                "least 0 and timeout_s above 0"
            )
        self._names = (model, tuned)
        self._url = url
        self._concurrency = concurrency
        self._retries = retries
        self._pace = _Pace(per_minute)
        self._client = openai.OpenAI(
            base_url=url,
            api_key=os.environ.get(key_env, "none"),  # local servers want none
            timeout=timeout_s,
            max_retries=retries,
        )

    def served(self, model: ModelRef) -> dict[str, JsonValue]:
        """Say where and as what a model is evaluated."""
        return {"url": self._url, "model": self._served_name(model), "dtype": "the server's"}

    def generate(
        self,
        model: ModelRef,
        requests: Sequence[Request],
        sampling: Sampling,
        done: frozenset[tuple[str, int]] = frozenset(),
    ) -> Iterator[Completion]:
        """Yield completions as the server answers; see ``Engine.generate``.

        Raises EngineError if the server cannot be reached, refuses, or keeps failing.
        """
        missing = [each for each in requests if (each.problem, each.sample) not in done]
        if not missing:
            return
        name = self._served_name(model)
        with ThreadPoolExecutor(self._concurrency) as pool:
            asked: list[Future[Completion]] = []
            try:
                asked += [pool.submit(self._complete, name, each, sampling) for each in missing]
                for answer in as_completed(asked):
                    yield answer.result()
            finally:  # after an error, or where nobody wants the rest
                pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _served_name(self, model: ModelRef) -> str:
        base, tuned = self._names
        if model.trained is None:
            return base or model.base
        if not tuned:
            raise EngineError(
                "engine 'openai' knows no name of trained models on the server; serve them and set "
                "engine_options.tuned, as in 'study-{key}'"
            )
        return tuned.format(key=model.trained.parent.name)

    def _complete(self, model: str, request: Request, sampling: Sampling) -> Completion:
        try:
            answer = self._fitting(model, request, sampling)
        except (openai.OpenAIError, ValueError) as error:
            raise self._failed(request, error) from error
        if answer is None:
            return Completion(request.problem, request.sample, "", 0, "too_long")
        choice = answer.choices[0]
        text, stopped = cut(choice.text, request.stop)
        ended = stopped or choice.finish_reason == "stop"
        tokens = getattr(answer.usage, "completion_tokens", None) or 0
        return Completion(
            request.problem, request.sample, text, tokens, "stop" if ended else "length"
        )

    def _fitting(self, model: str, request: Request, sampling: Sampling) -> Answer | None:
        """Give an answer that is no longer than the context has room; None if there is no room.

        Servers refuse to begin what may not fit. Raises ValueError if this one does not say how
        much does: a cut of our own choice would be another answer than it could have given.
        """
        try:
            return self._answer(model, request, sampling, request.max_new_tokens)
        except openai.BadRequestError as error:
            refused = _CONTEXT.search(str(error))
            if refused is None:
                raise
        try:
            one = self._answer(model, request, sampling, 1)
        except openai.BadRequestError as error:
            if _CONTEXT.search(str(error)):
                return None
            raise
        asked = getattr(one.usage, "prompt_tokens", None)
        if not refused[1] or not asked:
            raise ValueError(
                f"{request.max_new_tokens} new tokens may not fit into the context, and the server "
                "does not say how many do; lower sampling.max_new_tokens"
            )
        return self._answer(model, request, sampling, max(1, int(refused[1]) - asked))

    def _answer(self, model: str, request: Request, sampling: Sampling, limit: int) -> Answer:
        """Ask until the answer is whole; what HTTP shows to have failed the client repeats."""
        options: dict[str, Any] = {"stop": list(request.stop[:_STOPS])} if request.stop else {}
        for attempt in range(self._retries + 1):
            self._pace.wait()
            try:
                answer: Answer = self._client.completions.create(
                    model=model,
                    prompt=request.prompt,
                    max_tokens=limit,
                    temperature=sampling.temperature,
                    top_p=sampling.top_p,
                    seed=request.seed % _SEEDS,
                    **options,
                )
                if _whole(answer):
                    return answer
            except (ValueError, openai.APIResponseValidationError):  # JSON that ends too early
                if attempt == self._retries:
                    raise
            time.sleep(min(0.1 * 2**attempt, 8.0))
        raise ValueError("no whole text in the answer")

    def _failed(self, request: Request, error: Exception) -> EngineError:
        reason = str(error).strip().partition("\n")[0]
        return EngineError(
            f"server {self._url} on {request.problem}: {type(error).__name__}: {reason}"
        )


class _Pace:
    """Let so many callers a minute pass, evenly."""

    def __init__(self, per_minute: int) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for the caller's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._gap
        time.sleep(turn - now)


def _whole(answer: Answer) -> bool:
    """Say whether an answer holds a text to its end: the client takes any JSON for one.

    A server that goes down, or gives up on a request, ends it as "abort" or "error".
    """
    choices: Any = getattr(answer, "choices", None)
    if not choices or not isinstance(getattr(choices[0], "text", None), str):
        return False
    return getattr(choices[0], "finish_reason", None) in ("stop", "length")
