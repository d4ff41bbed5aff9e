"""The linear layer with a mixture of LoRA experts, for tokens of several tasks in one sequence."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from peft import PolyConfig
from peft.tuners.poly import layer as untyped
from torch import Tensor, nn
from torch.nn.functional import dropout, one_hot

from mftbench.canonical import digest
from mftbench.stages import Adapter
from mftbench.training.batches import Batch, token_tasks

layer: Any = untyped

_EPS = 1e-12  # peft's, so that both mix alike
_CLAMP = 1e-6


class TaskRouting:
    """What all layers of a model share: the tasks of the tokens at hand, and the step's noise.

    Routers are trained under the noise of a relaxed Bernoulli draw of each expert (Ponti et al.,
    arXiv 2202.13914), without which all experts would learn the same. peft draws it for every row;
    here it is drawn once a step for every layer and task, from the seed and the step alone, so that
    no split of a global batch shows, and a resumed run draws what it would have drawn.
    """

    def __init__(self, tasks: int) -> None:
        self.tasks = tasks
        self.layers: list[PolyLinear] = []
        self._own: Tensor | None = None
        self._noise: Tensor | None = None

    @property
    def own(self) -> Tensor:
        """Say which task each token is of: (rows, width, tasks), ones and zeros."""
        assert self._own is not None, "the model is run outside of `told`"
        return self._own

    def add(self, made: PolyLinear) -> int:
        """Number a layer."""
        self.layers.append(made)
        return len(self.layers) - 1

    def noise(self, number: int) -> Tensor:
        """Give a layer's noise on the logits of this step: (tasks, experts)."""
        assert self._noise is not None, "the model is trained outside of a step"
        return self._noise[number]

    def begin_step(self, seed: int, step: int) -> None:
        """Draw the step's noise."""
        generator = torch.Generator().manual_seed(int(digest(["router", seed, step], 12), 16))
        shape = (len(self.layers), *self.layers[0].logits.shape)
        self._noise = torch.rand(shape, generator=generator).logit(_CLAMP)

    def told(self, batch: Batch) -> AbstractContextManager[None]:
        """Let all layers know the tasks of a micro-batch's tokens."""
        return _Told(self, one_hot(token_tasks(batch), self.tasks))

    def again(self) -> AbstractContextManager[None]:
        """Let all layers know, in later passes, the tasks of the tokens at hand now."""
        return _Told(self, self.own)

    def tell(self, own: Tensor | None) -> None:
        """Let all layers know from now on."""
        self._own = own

    def summary(self, state: Mapping[str, Tensor]) -> Mapping[str, Any]:
        """Give how far apart the tasks' mixtures are: 0 where equal, 1 where they share no expert.

        Half the sum of absolute differences of two tasks' shares, as a mean over the layers.
        """
        logits = [tensor for name, tensor in state.items() if name.endswith(".module_logits")]
        with torch.no_grad():
            mixed = shares(torch.stack(logits).cpu())
            apart = torch.cdist(mixed, mixed, p=1).mean(0) / 2
        return {"router_distances": [[round(each, 6) for each in row] for row in apart.tolist()]}


class _Told(AbstractContextManager[None]):
    """Tells a routing in here, as often as it is entered: once for every backward pass."""

    def __init__(self, routing: TaskRouting, own: Tensor) -> None:
        self.routing = routing
        self.own = own

    def __enter__(self) -> None:
        self.routing.tell(self.own)

    def __exit__(self, *_: object) -> None:
        self.routing.tell(None)


class PolyLinear(layer.Linear):  # type: ignore[misc]
    """peft's layer of Polytropon, routed by each token's task; parameters and names are peft's.

    peft mixes the experts of every row of a batch anew. Here the experts of every task are mixed
    once, A and B apart as peft does it, and the mixed pairs stand side by side as one LoRA of
    ``tasks * r``, of which a token passes its own task's part. The product is scaled by
    ``alpha / r``, as LoRA's.
    """

    def __init__(
        self,
        base: nn.Module,
        name: str,
        config: PolyConfig,
        adapter: Adapter,
        routing: TaskRouting,
    ) -> None:
        super().__init__(base, name, config)
        for trained in (self.poly_lora_A, self.poly_lora_B, self.poly_router):
            trained.float()
        self.name = name
        self.rank = adapter.rank
        self.scaling = adapter.alpha / adapter.rank
        self.dropout = adapter.dropout
        self.routing = routing
        self.number = routing.add(self)

    @property
    def logits(self) -> Tensor:
        """Give the routers' logits: (tasks, experts)."""
        logits: Tensor = self.poly_router[self.name].module_logits
        return logits

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Give x W' + b + s (x A_t) B_t, with t each token's task."""
        base: Tensor = self.base_layer(x, *args, **kwargs)
        if self.disable_adapters:
            return base
        kind = x.device.type
        with torch.autocast(kind, enabled=False):
            own = shares(self._noisy(self.logits))
            a, b = mix(own, self.poly_lora_A[self.name][0], self.poly_lora_B[self.name][0])
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
        a, b = a.to(dtype).transpose(0, 1).flatten(1), b.to(dtype).flatten(0, 1)
        low = dropout(x.to(dtype), self.dropout, self.training) @ a
        own = self.routing.own.to(dtype) * self.scaling
        product: Tensor = (low * own.repeat_interleave(self.rank, dim=-1)) @ b
        return base + product

    def _noisy(self, logits: Tensor) -> Tensor:
        return logits + self.routing.noise(self.number).to(logits) if self.training else logits


def mix(weights: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Mix experts (experts, in, r) and (experts, r, out) by weights (n, experts), each apart."""
    return torch.einsum("ts,sir->tir", weights, a), torch.einsum("ts,sro->tro", weights, b)


def shares(logits: Tensor) -> Tensor:
    """Give the share of each expert from logits (..., experts): they sum to 1."""
    weights = logits.sigmoid()
    return weights / (weights.sum(-1, keepdim=True) + _EPS)
