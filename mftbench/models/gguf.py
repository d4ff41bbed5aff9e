"""Load a GGUF file as a plain model that can be trained and saved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from transformers import AutoModelForCausalLM, PreTrainedModel, modeling_gguf_pytorch_utils


def load_gguf(folder: str, file: str, dtype: str) -> PreTrainedModel:
    """Dequantise a GGUF file into a model of ``dtype``.

    transformers marks a model that comes from GGUF as quantized, even where every weight is dense,
    and then refuses to train or save it. So the weights go into a fresh model with a plain config.
    """
    with _without_bar():
        marked = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=dtype)
    fields = marked.config.to_dict()
    fields.pop("quantization_config", None)
    config = type(marked.config).from_dict(fields)
    auto: Any = AutoModelForCausalLM  # untyped upstream
    plain: PreTrainedModel = auto.from_config(config, dtype=marked.dtype)
    plain.load_state_dict(marked.state_dict())
    plain.generation_config = marked.generation_config
    return plain


@contextmanager
def _without_bar() -> Iterator[None]:
    # This module takes tqdm's own bar, which no setting of transformers' logging turns off.
    module: Any = modeling_gguf_pytorch_utils
    bar = module.tqdm
    module.tqdm = _no_bar
    try:
        yield
    finally:
        module.tqdm = bar


def _no_bar(items: Iterable[Any], **_: object) -> Iterable[Any]:
    return items
