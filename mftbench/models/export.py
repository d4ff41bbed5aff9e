"""Write a model as one plain folder of weights, for engines that load their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mftbench.folders import make_folder
from mftbench.models.fit import require_fit
from mftbench.models.loading import load_model, loading
from mftbench.stages import ModelRef

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel


def export_model(ref: ModelRef, dtype: str, folder: Path, probe: Sequence[int] = ()) -> float:
    """Write a model with its adapter merged and its output head untied, and its tokenizer.

    Untied, because an engine that exchanges weights in place may leave a shared head as it was.
    Merging rounds to ``dtype``. Returns the log-probability of the likeliest token after ``probe``,
    by which the engine that loads the folder can be checked.

    Raises UsageError or EngineError as ``load_model`` does.
    """
    import torch

    model, tokenizer = load_model(ref, dtype)
    make_folder(folder)
    with loading(str(ref.trained or ref.base)), torch.inference_mode():
        likeliest = 0.0
        if probe:
            logits = model(torch.tensor([list(probe)])).logits[0, -1].float()
            likeliest = logits.log_softmax(dim=-1).max().item()
    with loading(str(ref.trained or ref.base)):
        if ref.adapter:
            wrapped: Any = model
            model = cast("PreTrainedModel", wrapped.merge_and_unload())
        _untie(model)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return likeliest


def require_adapter(ref: ModelRef, config: PreTrainedConfig) -> None:
    """Refuse an adapter that does not belong to its base, without loading the base's weights.

    Raises EngineError naming what does not fit.
    """
    import torch
    from transformers import AutoModelForCausalLM

    assert ref.trained is not None
    auto: Any = AutoModelForCausalLM  # untyped upstream
    with loading(ref.base), torch.device("meta"):
        skeleton = auto.from_config(config)
    require_fit(skeleton, ref.trained, ref.base)


def _untie(model: PreTrainedModel) -> None:
    import torch

    untyped: Any = model
    head = untyped.get_output_embeddings()
    if head is None or not model.config.get_text_config().tie_word_embeddings:
        return
    head.weight = torch.nn.Parameter(head.weight.detach().clone())
    for config in (model.config, model.config.get_text_config()):
        config.tie_word_embeddings = False
