"""Load models and tokenizers with transformers and peft, imported when something is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mftbench.errors import EngineError, MftbenchError, UsageError
from mftbench.models.fit import require_fit
from mftbench.models.gguf_cache import plain_form
from mftbench.models.location import Location, locate
from mftbench.stages import ModelRef

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """Load a model's tokenizer, with a padding token and padding on the left.

    Raises UsageError if the model cannot be found, EngineError if its tokenizer cannot be loaded.
    """
    return _tokenizer(locate(name))


def load_model(
    ref: ModelRef, dtype: str = "float32", quantization: str = ""
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a model in evaluation mode, and its tokenizer, on the CPU.

    A trained adapter is attached, not merged: merging rounds. A trained whole model replaces the
    base; its own tokenizer is taken where it has one. ``dtype`` is a torch name ("float32",
    "bfloat16"). ``quantization`` "nf4" holds the linear layers in 4 bits and computes in ``dtype``,
    as QLoRA does. A model that comes from GGUF is rebuilt, so that it can be trained and saved.

    Raises UsageError if the model cannot be found, EngineError if it cannot be loaded.
    """
    base = locate(ref.base)
    replaced = ref.trained is not None and not ref.adapter
    model = _model(Location(str(ref.trained)) if replaced else base, dtype, quantization)
    if ref.trained is not None and ref.adapter:
        model = attach_adapter(model, ref.trained, ref.base)
    return model, _tokenizer(_tokenizer_location(ref, base))


def attach_adapter(model: PreTrainedModel, adapter: Path, base: str = "") -> PreTrainedModel:
    """Put a trained adapter around a base model, for evaluation; ``unload()`` takes it off again.

    Raises EngineError if the adapter is damaged, or was trained on another base than ``base``.
    """
    require_fit(model, adapter, base)
    with loading(str(adapter)):
        from peft import PeftModel

        # A PeftModel passes every call on to the model inside it.
        return cast("PreTrainedModel", PeftModel.from_pretrained(model, str(adapter)).train(False))


def _tokenizer_location(ref: ModelRef, base: Location) -> Location:
    if ref.trained is not None and (ref.trained / "tokenizer_config.json").is_file():
        return Location(str(ref.trained))
    return base


def _tokenizer(location: Location) -> PreTrainedTokenizerBase:
    with loading(location.path):
        tokenizer = _auto_tokenizer(_kept_tokenizer(location))
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # padding is masked, any token will do
    tokenizer.padding_side = "left"
    return tokenizer


def _kept_tokenizer(location: Location) -> Location:
    if location.gguf is None:
        return location
    return plain_form(
        location, "tokenizer", lambda folder: _auto_tokenizer(location).save_pretrained(folder)
    )


def _auto_tokenizer(location: Location) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        location.path, **location.loading_options
    )
    return tokenizer


def _kept_model(location: Location, dtype: str) -> Location:
    if location.gguf is None:
        return location
    return plain_form(
        location, dtype, lambda folder: _load_gguf(location, dtype).save_pretrained(folder)
    )


def _load_gguf(location: Location, dtype: str) -> PreTrainedModel:
    from mftbench.models.gguf import load_gguf

    assert location.gguf is not None
    return load_gguf(location.path, location.gguf, dtype)


def _model(location: Location, dtype: str, quantization: str) -> PreTrainedModel:
    with loading(location.path):
        location = _kept_model(location, dtype)
        if location.gguf is not None:
            if quantization:
                raise UsageError(f"{location.gguf} is a GGUF file, which cannot be held as nf4")
            model: PreTrainedModel = _load_gguf(location, dtype)
        else:
            from transformers import AutoModelForCausalLM

            options: dict[str, Any] = dict(location.loading_options)
            if quantization:
                options["quantization_config"] = _nf4(dtype)
            model = AutoModelForCausalLM.from_pretrained(location.path, dtype=dtype, **options)
        model.train(False)
        return model


def _nf4(dtype: str) -> object:
    """Return QLoRA's way to hold weights (Dettmers et al., arXiv 2305.14314, section 3)."""
    import torch
    import transformers

    config: Any = transformers.BitsAndBytesConfig  # untyped upstream
    return cast(
        "object",
        config(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=getattr(torch, dtype),
        ),
    )


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Load without progress bars and advice, and say in one line what could not be loaded."""
    from transformers import logging as untyped

    logging: Any = untyped
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except MftbenchError:
        raise
    except ImportError as error:
        raise UsageError(f"{what} needs a package that is not installed: {error}") from error
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise EngineError(f"cannot load {what}: {type(error).__name__}: {reason}") from error
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
