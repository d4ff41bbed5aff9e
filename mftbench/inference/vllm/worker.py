"""Run vLLM for a host that speaks JSON lines over this process's standard input and output.

This file runs in vLLM's environment, in which mftbench need not be installed: it imports vLLM and
the standard library, nothing else. The host sends one object a line:

    {"open": {...}}       arguments of vllm.LLM, and more for the CPU; answered by {"ready": ...}
    {"weights": folder}   load other weights into the engine; answered by {"loaded": folder}
    {"ask": {...}}        one request: id, ids, sampling, adapter [name, number, folder] or null
    {"go": true}          make all that was asked; {"id", "ids", "logprobs"} as each is finished,
                          then {"done": true}

An error of vLLM's is answered by {"error": text} and ends the process. When the host is gone, which
closes the standard input, this process and vLLM's own children end at once.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

Say = Callable[..., None]
Orders = queue.SimpleQueue  # of one dict a line


def main() -> None:
    """Serve the host until it closes the pipe."""
    wire = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # vLLM logs to standard output, which is the wire

    def say(**message: object) -> None:
        wire.write(json.dumps(message) + "\n")
        wire.flush()

    orders: Orders[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    try:
        _serve(orders, say)
    except Exception as error:  # noqa: BLE001 # whatever vLLM raises, the host has to know
        reason = str(error).strip().partition("\n")[0]
        say(error=f"{type(error).__name__}: {reason}")
        _end()


def _listen(orders: Orders[dict[str, Any]]) -> None:
    """Pass the host's lines on; while vLLM works, nobody else would see that the host is gone."""
    for line in sys.stdin:
        orders.put(json.loads(line))
    _end()


def _end() -> None:
    """End with all children: this process leads its own process group."""
    os.killpg(0, signal.SIGKILL)


def _serve(orders: Orders[dict[str, Any]], say: Say) -> None:
    import vllm
    from vllm.platforms import current_platform

    opening = orders.get()["open"]
    here = opening["cpu_arguments"] if current_platform.is_cpu() else {}
    if here:
        _group_by_adapter()
    llm = vllm.LLM(**opening["arguments"], **here)
    say(ready=vllm.__version__)
    asked: list[dict[str, Any]] = []
    while True:
        order = orders.get()
        if "ask" in order:
            asked.append(order["ask"])
        elif "weights" in order:
            llm.collective_rpc("reload_weights", kwargs={"weights_path": order["weights"]})
            llm.reset_prefix_cache()
            say(loaded=order["weights"])
        else:
            _generate(llm.llm_engine, asked, say)
            asked = []
            say(done=True)


def _generate(engine: Any, asked: list[dict[str, Any]], say: Say) -> None:
    """Hand everything to the scheduler at once, and tell each answer as it is finished."""
    for each in asked:
        prompt = {"prompt_token_ids": each["ids"]}
        adapter = _adapter(each["adapter"])
        engine.add_request(each["id"], prompt, _sampling(each["sampling"]), lora_request=adapter)
    while engine.has_unfinished_requests():
        for output in engine.step():
            if output.finished:
                (answer,) = output.outputs
                ids = list(answer.token_ids)
                say(id=output.request_id, ids=ids, logprobs=_logprobs(answer))


def _sampling(options: dict[str, Any]) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(n=1, output_kind=RequestOutputKind.FINAL_ONLY, **options)


def _adapter(adapter: list[Any] | None) -> Any:
    from vllm.lora.request import LoRARequest

    return LoRARequest(*adapter) if adapter else None


def _logprobs(answer: Any) -> list[float] | None:
    if answer.logprobs is None:
        return None
    steps = zip(answer.token_ids, answer.logprobs, strict=True)
    return [step[token].logprob for token, step in steps]


def _group_by_adapter() -> None:
    """Let vLLM multiply each adapter once with all its tokens, where it runs on processors.

    Its own way there copies an adapter's matrices for every token of a batch, and counts on a spare
    adapter of zeros for tokens of the base, whose number is -1.
    """
    from vllm.lora.ops.torch_ops import lora_ops
    from vllm.lora.punica_wrapper import punica_cpu

    for module in (lora_ops, punica_cpu):
        for product in (bgmv_shrink, bgmv_expand, bgmv_expand_slice):
            setattr(module, product.__name__, product)


def bgmv_shrink(x: Any, a: Any, out: Any, adapters: Any, scaling: float = 1.0) -> None:
    """Write scaling (x A') to ``out``: x (N, in), A (slots, 1, rank, in), adapters (N,)."""
    out.zero_()
    for rows, matrix in _groups(adapters, a):
        out[rows, : len(matrix)] = (scaling * (x[rows].float() @ matrix.T)).to(out.dtype)


def bgmv_expand(x: Any, b: Any, out: Any, adapters: Any, add_inputs: bool = True) -> None:
    """Add x B' to ``out``, or write it: x (N, rank), B (slots, 1, out, rank)."""
    bgmv_expand_slice(x, b, out, adapters, 0, min(b.shape[-2], out.shape[1]), add_inputs)


def bgmv_expand_slice(
    x: Any, b: Any, out: Any, adapters: Any, offset: int, size: int, add_inputs: bool = True
) -> None:
    """Add x B' to ``size`` columns of ``out`` from ``offset`` on, or write it there."""
    part = out[:, offset : offset + size]
    if not add_inputs:
        part.zero_()
    for rows, matrix in _groups(adapters, b):
        part[rows] += x[rows].float() @ matrix[:size].T


def _groups(adapters: Any, matrices: Any) -> Iterator[tuple[Any, Any]]:
    """Give the tokens of each adapter, and its matrix, float32; the base's are in no group."""
    flat = matrices.flatten(0, -3)
    for adapter in adapters.unique().tolist():
        if adapter >= 0:
            yield (adapters == adapter).nonzero().squeeze(1), flat[adapter].float()


if __name__ == "__main__":
    main()
elif __name__ == "__mp_main__":  # one of vLLM's own processes, which import this file too
    _group_by_adapter()
