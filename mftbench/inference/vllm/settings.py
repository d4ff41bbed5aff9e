"""With which arguments vLLM is opened: as much room as what is asked needs, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mftbench.inference.batches import Prompt
from mftbench.inference.vllm.serving import Served
from mftbench.stages import ModelRef, Sampling

_STEP = 64
"""Lengths are rounded up to multiples, so that a slightly longer prompt needs no new engine."""

_BLOCK = 128
"""Tokens of a cache block on the CPU."""


@dataclass(frozen=True)
class Ask:
    """One prompt for one model; ``job`` is the number of the job that it belongs to."""

    job: int
    ref: ModelRef
    served: Served
    prompt: Prompt
    sampling: Sampling


@dataclass(frozen=True)
class Room:
    """What an engine has room for: tokens of a sequence, sequences, adapters and their rank.

    One of the adapters' slots is spare: see ``Session.ready``.
    """

    dtype: str
    length: int
    rows: int
    adapters: int = 0
    rank: int = 0

    def covers(self, other: Room) -> bool:
        """Say whether an engine with this room can do what needs the other."""
        return (
            (self.dtype, self.rows) == (other.dtype, other.rows)
            and self.length >= other.length
            and self.adapters >= min(other.adapters, 2)
            and self.rank >= other.rank
        )

    def arguments(self, kv_bytes: int, token_bytes: int) -> dict[str, Any]:
        """Give the arguments of ``vllm.LLM`` but for the model.

        On the CPU the cache holds all rows at full length, if ``kv_bytes`` are enough for that.
        """
        row = -(-self.length // _BLOCK) * _BLOCK * token_bytes
        arguments: dict[str, Any] = {
            "dtype": self.dtype,
            "max_model_len": self.length,
            "max_num_seqs": self.rows,
            "enable_prefix_caching": True,
            "generation_config": "vllm",  # how tokens are drawn is said with every request
            "disable_log_stats": True,
        }
        if self.adapters:
            arguments |= {
                "enable_lora": True,
                "max_loras": self.adapters,
                "max_cpu_loras": self.adapters,
                "max_lora_rank": self.rank,
            }
        cpu = {
            "kv_cache_memory_bytes": max(min(kv_bytes, row * (self.rows + 1)), 2 * row),
            "enforce_eager": True,  # compiling takes longer than it saves
        }
        return {"arguments": arguments, "cpu_arguments": cpu}


def room_for(asks: Sequence[Ask], dtype: str, adapters_at_once: int) -> Room:
    """Compute the room that everything asked of one base needs."""
    longest = max(len(ask.prompt.ids) + ask.prompt.limit for ask in asks)
    adapters = {ask.ref for ask in asks if ask.served.how == "adapter"}
    return Room(
        dtype=dtype,
        length=-(-longest // _STEP) * _STEP,
        rows=max(ask.sampling.batch for ask in asks) or 256,
        adapters=min(len(adapters), adapters_at_once) + 1 if adapters else 0,
        rank=max(ask.served.rank for ask in asks),
    )
