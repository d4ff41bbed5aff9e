"""A frozen base in 4 bits, made from any loaded model, on the CPU and on GPUs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from mftbench.errors import UsageError
from mftbench.stages import Adapter

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def quantize(model: PreTrainedModel, adapter: Adapter) -> PreTrainedModel:
    """Replace every linear layer but the output head by its NF4 form, in place.

    Blocks of 64 weights share a scale; ``adapter.double_quantization`` quantises the scales too.
    Products are computed in ``adapter.compute_dtype``, or in the model's own where that is "".

    Raises UsageError if bitsandbytes is not installed.
    """
    try:
        import bitsandbytes
    except ImportError as error:
        raise UsageError(
            "adapter.kind 'qlora' needs bitsandbytes; pip install 'mftbench[qlora]'"
        ) from error
    layers: Any = bitsandbytes.nn
    head: Any = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"
    linear = [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and module is not head
    ]
    for name, module in linear:
        quantized = layers.Linear4bit(
            module.in_features,
            module.out_features,
            bias=module.bias is not None,
            compute_dtype=getattr(torch, adapter.compute_dtype or str(model.dtype)[6:]),
            compress_statistics=adapter.double_quantization,
            quant_type="nf4",
        )
        quantized.weight = layers.Params4bit(
            module.weight.data,
            requires_grad=False,
            compress_statistics=adapter.double_quantization,
            quant_type="nf4",
            module=quantized,
        )
        if module.bias is not None:
            quantized.bias = module.bias
        # Else validation would turn the weights into a form that training has to turn back, and
        # that not every shape has.
        quantized.support_avx512bf16_for_cpu = False
        model.set_submodule(name, quantized.to(device))
    model.requires_grad_(False)
    marked: Any = model
    marked.is_loaded_in_4bit = True  # peft chooses its 4-bit layers by this
    return model
