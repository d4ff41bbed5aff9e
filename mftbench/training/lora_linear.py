"""The linear layer with LoRA in as few passes over memory as it has matrix products."""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora import layer as untyped
from torch import Tensor, nn

layer: Any = untyped


class LoraLinear(layer.Linear):  # type: ignore[misc]
    """peft's layer with the plain training case fused; all other cases are peft's own.

    peft's way adds and scales tensors of the output's size, which on a CPU costs as much as the
    products. Parameters, names and what is saved are peft's.
    """

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Give x W' + b + s (x A') B' in the precision that autocast chooses."""
        (name,) = self.active_adapters if len(self.active_adapters) == 1 else ("",)
        plain = name in self.lora_A and not (args or kwargs or self.merged or self.disable_adapters)
        if not plain or not isinstance(self.lora_dropout[name], nn.Identity):
            result: Tensor = super().forward(x, *args, **kwargs)
            return result
        kind = x.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
        base = self.get_base_layer()
        factors = (base.weight, base.bias, self.lora_A[name].weight, self.lora_B[name].weight)
        cast = (factor if factor is None else factor.to(dtype) for factor in factors)
        product: Tensor = _LoraProduct.apply(x.to(dtype), *cast, self.scaling[name])  # type: ignore[no-untyped-call]
        return product


class _LoraProduct(torch.autograd.Function):
    """x (..., in), W (out, in), b (out,) or None, A (rank, in), B (out, rank), s a number."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        low = (flat @ a.T).mul_(scale)
        out = nn.functional.linear(flat, weight, bias).addmm_(low, b.T)
        ctx.save_for_backward(flat, low, weight, a, b)
        ctx.scale = scale
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        flat, low, weight, a, b = ctx.saved_tensors
        given = grad.reshape(-1, grad.shape[-1])
        low_grad = (given @ b).mul_(ctx.scale)
        x_grad = None
        if ctx.needs_input_grad[0]:
            x_grad = (given @ weight).addmm_(low_grad, a).view(*grad.shape[:-1], -1)
        return x_grad, None, None, low_grad.T @ flat, given.T @ low, None
