"""Memory of one device in training and generation, by formula."""

from __future__ import annotations

from dataclasses import dataclass

from mftbench.estimates.shapes import Shape
from mftbench.stages import Adapter, Optim, Sampling

_WIDTHS = {"float32": 4, "bfloat16": 2}
_NF4 = 0.5 + 0.127 / 8
"""Bytes of a weight in NF4 with double quantisation (Dettmers et al. 2023: 0.127 bits extra)."""

BASIS = (
    "memory by formula: weights, gradients, two Adam moments and a master copy of what is trained "
    "in 32 bits; activations after Korthikanti et al. 2022, attention never materialised; caches "
    "and fragmentation of the library not counted"
)


@dataclass(frozen=True)
class Memory:
    """Bytes on one device, by what they hold."""

    weights: float = 0.0
    adapters: float = 0.0
    gradients: float = 0.0
    optimizer: float = 0.0
    activations: float = 0.0
    kv_cache: float = 0.0

    @property
    def total(self) -> float:
        """Add everything up."""
        parts = (self.weights, self.adapters, self.gradients, self.optimizer)
        return sum(parts) + self.activations + self.kv_cache


def training_memory(shape: Shape, adapter: Adapter, optim: Optim) -> Memory:
    """Estimate one rank's memory at a micro-batch of full length."""
    width = _WIDTHS[optim.dtype]
    full = adapter.kind == "full"
    pairs = adapter.experts if adapter.kind == "poly" else 1
    trained = shape.parameters if full else pairs * shape.adapter_parameters(adapter.rank)
    frozen = _NF4 if adapter.kind == "qlora" else width
    return Memory(
        weights=shape.parameters * (4 if full else frozen),
        adapters=0 if full else trained * 4,
        gradients=trained * 4,
        optimizer=trained * 8,
        activations=_activations(shape, optim),
    )


def generating_memory(shape: Shape, sampling: Sampling, dtype: str, length: int) -> Memory:
    """Estimate memory of a batch of ``length`` tokens a row, prompt and answer together."""
    width = _WIDTHS[dtype]
    per_token = 2 * shape.layers * shape.kv_width * width
    return Memory(
        weights=shape.parameters * width,
        kv_cache=float(per_token * length * sampling.batch),
    )


def layer_activations(layers: int, hidden: int, optim: Optim) -> float:
    """Estimate the bytes that a micro-batch of full length leaves in all layers.

    34 bytes a layer, token and unit of width in 16 bits (Korthikanti et al. 2022).
    """
    return micro_batch_tokens(optim) * 34 * _WIDTHS[optim.dtype] / 2 * hidden * layers


def micro_batch_tokens(optim: Optim) -> int:
    """Count the tokens of a micro-batch of full length: of a pack, or of its rows."""
    if optim.padding == "packed":
        return optim.pack_length or optim.max_length
    return optim.batch * optim.max_length


def _activations(shape: Shape, optim: Optim) -> float:
    """Add the logits in 32 bits, twice."""
    logits = 8 * shape.vocabulary * micro_batch_tokens(optim)
    return layer_activations(shape.layers, shape.hidden, optim) + logits
