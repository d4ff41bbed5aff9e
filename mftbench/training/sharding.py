"""How ranks hold a model: each all of it, or a shard (FSDP2, DeepSpeed); in the library's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mftbench.errors import UsageError, require
from mftbench.stages import Optim, Parallel

if TYPE_CHECKING:
    from accelerate import Accelerator


def _whole(parallel: Parallel, ranks: int) -> dict[str, Any]:
    return {}


def _fsdp2(parallel: Parallel, ranks: int) -> dict[str, Any]:
    # One rank holds all there is; the library refuses to call that sharded.
    return {"fsdp": True, "fsdp_config": {"version": 2}} if ranks > 1 else {}


def _deepspeed(parallel: Parallel, ranks: int) -> dict[str, Any]:
    if find_spec("deepspeed") is None:
        raise UsageError("parallel.kind 'deepspeed' needs deepspeed; pip install deepspeed")
    import torch

    if not torch.accelerator.is_available():
        raise UsageError("parallel.kind 'deepspeed' needs a GPU; set it to 'fsdp2' or 'ddp'")
    return {"deepspeed": dict(parallel.deepspeed)}


KINDS: Mapping[str, Callable[[Parallel, int], dict[str, Any]]] = {
    "ddp": _whole,
    "fsdp2": _fsdp2,
    "deepspeed": _deepspeed,
}
"""The library's arguments by ``parallel.kind``, on so many ranks."""


def check_parallel(parallel: Parallel, where: str = "") -> None:
    """Raise UsageError for ranks or a configuration that do not go with the kind."""
    place = f"{where}: " if where else ""
    require("kind", parallel.kind, KINDS, f"{place}parallel")
    if parallel.ranks < 1:
        raise UsageError(f"{place}parallel.ranks is {parallel.ranks}; at least 1")
    if parallel.deepspeed and parallel.kind != "deepspeed":
        raise UsageError(
            f"{place}parallel.deepspeed is given, but parallel.kind is {parallel.kind!r}; "
            "set parallel.kind to 'deepspeed', or leave the configuration out"
        )
    if parallel.kind == "deepspeed" and not parallel.deepspeed:
        raise UsageError(
            f"{place}parallel.kind is 'deepspeed', but parallel.deepspeed is empty; "
            "give the configuration, such as {zero_optimization = {stage = 2}}"
        )


def divided(optim: Optim, parallel: Parallel) -> Optim:
    """Give the settings of each rank: its share of the accumulation.

    Raises UsageError if the ranks do not divide it.
    """
    if optim.accumulation % parallel.ranks:
        raise UsageError(
            f"optim.accumulation is {optim.accumulation}; parallel.ranks = {parallel.ranks} must "
            "divide it, so that the global batch stays the same"
        )
    return replace(optim, accumulation=optim.accumulation // parallel.ranks)


def parallel_arguments(parallel: Parallel, ranks: int) -> dict[str, Any]:
    """Give the arguments by which the library divides a model among ``ranks`` processes.

    Raises UsageError for settings that do not go together, or where deepspeed is not installed.
    """
    check_parallel(parallel)
    return KINDS[parallel.kind](parallel, ranks)


def shard(accelerator: Accelerator, plugin_arguments: Mapping[str, Any]) -> None:
    """Have the library shard with FSDP2, on processors too, and leave precision to autocast.

    accelerate 1.15 takes FSDP for accelerators alone: on a CPU it would wrap the model in DDP and
    not say so, while torch shards over gloo as it does over NCCL. And its policy of mixed precision
    would add gradients over ranks in bfloat16, where DDP adds them in float32.
    """
    from accelerate.state import PartialState
    from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin

    state: Any = accelerator.state
    if getattr(state, "fsdp_plugin", None) is None:
        state.fsdp_plugin = FullyShardedDataParallelPlugin(**plugin_arguments)
        state.distributed_type = DistributedType.FSDP
        shared: Any = PartialState._shared_state
        shared["distributed_type"] = DistributedType.FSDP
    state.fsdp_plugin.mixed_precision_policy = None
