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
from collections.abc import Callable
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
        group_by_adapter()
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


def group_by_adapter() -> None:
    """Let vLLM multiply each adapter once with all its tokens, where it runs on processors.

    Its own way there copies an adapter's matrices for every token of a batch; a version of vLLM
    that has them elsewhere keeps its own way.
    """
    try:
        from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU
    except ImportError:
        return
    update = PunicaWrapperCPU.update_metadata

    def update_metadata(wrapper: Any, *given: Any, **more: Any) -> None:
        update(wrapper, *given, **more)
        wrapper.groups = groups(wrapper.token_lora_indices)

    PunicaWrapperCPU.update_metadata = update_metadata
    PunicaWrapperCPU.add_lora_linear = add_lora_linear


def groups(adapters: Any) -> list[tuple[int, Any]]:
    """Give each adapter with its tokens' places; tokens of the base, -1, are in no group."""
    found = []
    for adapter in adapters.unique().tolist():
        if adapter >= 0:
            places = (adapters == adapter).nonzero().squeeze(1)
            first, last = int(places[0]), int(places[-1])
            in_a_row = last - first + 1 == len(places)
            found.append((adapter, slice(first, last + 1) if in_a_row else places))
    return found


def add_lora_linear(
    wrapper: Any, y: Any, x: Any, a: Any, b: Any, scale: float, sizes: Any, **_: object
) -> None:
    """Add scale (x A') B' to ``y``, in float32, for each of the parts that it consists of.

    x: (N, in); y: (N, out); A: (slots, 1, rank, in) and B: (slots, 1, part, rank) a part.
    """
    y, x = y.view(-1, y.shape[-1]), x.view(-1, x.shape[-1])
    for adapter, places in wrapper.groups:
        tokens, begin = x[places].float(), 0
        for down, up, size in zip(a, b, sizes, strict=True):
            low = tokens @ (down[adapter, 0].float().T * scale)
            y[places, begin : begin + size] += low @ up[adapter, 0, :size].float().T
            begin += size


if __name__ == "__main__":  # vLLM's own processes import this file too
    main()
